// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/base/result.h"

namespace scrooge {

// Of the file system that a folder is on.
struct DiskSpace {
  uint64_t file_system = 0;      // folders on the same one have the same number
  std::optional<uint64_t> free;  // for this user; nothing where the file system does not say
};

// kNotFound, kPermissionDenied or kIoError for a folder in which no file can be made.
Result<DiskSpace> disk_space(const std::string& folder);

// What the file takes of the disk; 0 when there is none.
uint64_t disk_bytes_of(const std::string& path);

}  // namespace scrooge
