// SPDX-License-Identifier: Apache-2.0
#include "src/tensor/pack_bits.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/seeded_values.h"

namespace scrooge {
namespace {

TEST(PackBits, RoundTripForEveryBitCountAndLength) {
  test::SeededValues seeded(1);
  for (int bits = 1; bits <= 8; ++bits) {
    for (const int64_t length : {0, 1, 2, 3, 7, 8, 9, 17, 31, 33, 127, 129}) {
      std::vector<uint8_t> codes(static_cast<size_t>(length));
      for (uint8_t& code : codes) code = static_cast<uint8_t>(seeded.below(int64_t{1} << bits));
      std::vector<uint8_t> packed(static_cast<size_t>((length * bits + 7) / 8) + 1, 0xcc);
      pack_bits(codes, bits, packed);
      EXPECT_EQ(packed.back(), 0xcc) << bits << " bits, length " << length;
      std::vector<uint8_t> back(codes.size());
      unpack_bits(packed, bits, back);
      EXPECT_EQ(back, codes) << bits << " bits, length " << length;
    }
  }
}

TEST(PackBits, LowNibbleComesFirstAndTheTailIsZero) {
  const std::vector<uint8_t> codes = {0x1, 0x2, 0x3, 0x4, 0xf};
  std::vector<uint8_t> packed(3, 0xff);
  pack_bits(codes, 4, packed);
  EXPECT_EQ(packed, (std::vector<uint8_t>{0x21, 0x43, 0x0f}));
}

TEST(PackBits, ThreeBitsRunAcrossBytes) {
  const std::vector<uint8_t> codes = {1, 2, 3, 4, 5, 6, 7, 0, 5};
  std::vector<uint8_t> packed(4, 0xff);
  pack_bits(codes, 3, packed);
  // Bits from the lowest: 001 010 011 100 101 110 111 000 | 101.
  EXPECT_EQ(packed, (std::vector<uint8_t>{0b11010001, 0b01011000, 0b00011111, 0b00000101}));
}

TEST(PackBits, EightBitsAreTheCodes) {
  const std::vector<uint8_t> codes = {0, 255, 7};
  std::vector<uint8_t> packed(3);
  pack_bits(codes, 8, packed);
  EXPECT_EQ(packed, codes);
}

}  // namespace
}  // namespace scrooge
