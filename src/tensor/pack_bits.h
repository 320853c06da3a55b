// SPDX-License-Identifier: Apache-2.0
// Canonical layout of integer codes: a little-endian bit stream, element i at bits [i*b, i*b + b); so at 4 bits the low
// nibble comes first. The tail of the last byte is zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace scrooge {

// REQUIRES: bits in 1..8, every code below 2^bits, packed.size() >= (codes.size() * bits + 7) / 8.
void pack_bits(std::span<const uint8_t> codes, int bits, std::span<uint8_t> packed);
// REQUIRES: packed.size() >= (codes.size() * bits + 7) / 8.
void unpack_bits(std::span<const uint8_t> packed, int bits, std::span<uint8_t> codes);
// The same from the bytes of a plane.
inline void unpack_bits(std::span<const std::byte> packed, int bits, std::span<uint8_t> codes) {
  unpack_bits(std::span(reinterpret_cast<const uint8_t*>(packed.data()), packed.size()), bits, codes);
}

}  // namespace scrooge
