// SPDX-License-Identifier: Apache-2.0
// Packing codes and unpacking them gives the codes; unpacking and packing gives the bytes, tail bits zero.
#include "src/tensor/pack_bits.h"

#include <algorithm>

#include "tests/fuzz/fuzz_target.h"

namespace scrooge::fuzz {

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  std::vector<std::string> inputs;
  for (char bits = 0; bits < 8; ++bits) inputs.push_back(std::string(1, bits) + "\x01\x80\xff 0123456789");
  return inputs;
}

void run(std::string_view input) {
  Reader reader(input);
  const int bits = 1 + reader.byte() % 8;
  const std::vector<uint8_t> bytes(reader.rest().begin(), reader.rest().end());
  // Exactly as large as promised, so that a byte too far is seen.
  std::vector<uint8_t> codes(bytes.size() * 8 / static_cast<size_t>(bits));
  unpack_bits(bytes, bits, codes);
  std::vector<uint8_t> packed((codes.size() * static_cast<size_t>(bits) + 7) / 8, 0xaa);
  pack_bits(codes, bits, packed);
  std::vector<uint8_t> again(codes.size());
  unpack_bits(packed, bits, again);
  require(codes == again, "unpacked codes are those that were packed");
  require(std::all_of(codes.begin(), codes.end(), [&](uint8_t code) { return code >> bits == 0 || bits == 8; }),
          "codes are below 2^bits");
  const size_t whole = codes.size() * static_cast<size_t>(bits) / 8;
  require(std::equal(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(whole), bytes.begin()),
          "packed bytes are those that were unpacked");
  if (packed.size() > whole) {
    const auto used = codes.size() * static_cast<size_t>(bits) % 8;
    require(packed.back() >> used == 0, "the tail of the last byte is zero");
  }
}

}  // namespace scrooge::fuzz
