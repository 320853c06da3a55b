// SPDX-License-Identifier: Apache-2.0
// Little-endian loads from unaligned bytes; safe on every host.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace scrooge::checkpoint {

inline uint8_t load_u8(const std::byte* from) { return static_cast<uint8_t>(*from); }

// T is an unsigned integer.
template <typename T>
T load_le(const std::byte* from) {
  T value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, from, sizeof value);
  } else {
    for (size_t i = sizeof value; i-- > 0;) value = static_cast<T>(value << 8 | load_u8(from + i));
  }
  return value;
}

inline float load_f32(const std::byte* from) { return std::bit_cast<float>(load_le<uint32_t>(from)); }

}  // namespace scrooge::checkpoint
