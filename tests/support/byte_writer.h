// SPDX-License-Identifier: Apache-2.0
// A growing little-endian byte string, for tests that write files by hand.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace scrooge::test {

class ByteWriter {
 public:
  template <std::integral I>
  ByteWriter& put(I value) {
    for (size_t i = 0; i < sizeof value; ++i) {
      bytes_.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff));
    }
    return *this;
  }
  ByteWriter& put(float value) { return put(std::bit_cast<uint32_t>(value)); }
  ByteWriter& put(double value) { return put(std::bit_cast<uint64_t>(value)); }
  ByteWriter& raw(std::string_view text) {
    bytes_.append(text);
    return *this;
  }
  ByteWriter& pad_to(size_t alignment) {
    while (bytes_.size() % alignment != 0) bytes_.push_back('\0');
    return *this;
  }
  const std::string& bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

inline void write_file(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

inline std::string f32_bytes(std::span<const float> values) {
  ByteWriter out;
  for (const float value : values) out.put(value);
  return out.bytes();
}

}  // namespace scrooge::test
