// SPDX-License-Identifier: Apache-2.0
#include "src/tensor/pack_bits.h"

#include <algorithm>

namespace scrooge {

void pack_bits(std::span<const uint8_t> codes, int bits, std::span<uint8_t> packed) {
  uint32_t pending = 0;
  int filled = 0;
  size_t out = 0;
  for (const uint8_t code : codes) {
    pending |= static_cast<uint32_t>(code) << filled;
    filled += bits;
    while (filled >= 8) {
      packed[out++] = static_cast<uint8_t>(pending);
      pending >>= 8;
      filled -= 8;
    }
  }
  if (filled > 0) packed[out] = static_cast<uint8_t>(pending);
}

void unpack_bits(std::span<const uint8_t> packed, int bits, std::span<uint8_t> codes) {
  if (bits == 4) {  // by far the commonest: two codes a byte
    const size_t pairs = codes.size() / 2;
    for (size_t i = 0; i < pairs; ++i) {
      codes[2 * i] = packed[i] & 15u;
      codes[2 * i + 1] = packed[i] >> 4;
    }
    if (codes.size() % 2 != 0) codes.back() = packed[pairs] & 15u;
    return;
  }
  const uint32_t mask = (1u << bits) - 1;
  uint32_t pending = 0;
  int filled = 0;
  size_t in = 0;
  for (uint8_t& code : codes) {
    while (filled < bits) {
      pending |= static_cast<uint32_t>(packed[in++]) << filled;
      filled += 8;
    }
    code = static_cast<uint8_t>(pending & mask);
    pending >>= bits;
    filled -= bits;
  }
}

}  // namespace scrooge
