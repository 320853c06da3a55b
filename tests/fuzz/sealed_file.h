// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/support/model_file.h"

namespace scrooge::fuzz {

// An input as a .scrooge file whose checksums of superblock and index are right. The superblock believes the input
// about everything but sizes and checksums.
inline std::string sealed_file(std::string_view input) {
  using namespace container;  // NOLINT(google-build-using-namespace)
  Bytes file(input.size());
  std::copy(input.begin(), input.end(), reinterpret_cast<char*>(file.data()));
  if (file.size() < kSuperblockBytes) return std::string(input);
  Superblock block;
  const auto number = [&](size_t at, size_t bytes) {
    uint64_t value = 0;
    std::memcpy(&value, file.data() + at, bytes);
    return value;
  };
  block.version_minor = static_cast<uint16_t>(number(10, 2));
  block.size = static_cast<uint32_t>(number(12, 4));
  block.alignment = {static_cast<uint8_t>(number(20, 1)), static_cast<uint8_t>(number(21, 1))};
  block.meta_offset = number(24, 8);
  block.meta_size = number(32, 8);
  while (block.alignment.valid() && file.size() % block.alignment.segment() != 0) file.push_back(std::byte{});
  block.file_size = file.size();
  if (!CheckedSize(block.meta_offset).range_fits(block.meta_size, file.size())) return std::string(input);
  reseal(file, block);
  return std::string(reinterpret_cast<const char*>(file.data()), file.size());
}

}  // namespace scrooge::fuzz
