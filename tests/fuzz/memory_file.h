// SPDX-License-Identifier: Apache-2.0
// An input as a file that was never on a disk.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string_view>

#include "src/base/file_map.h"
#include "tests/fuzz/fuzz_target.h"

namespace scrooge::fuzz {

inline FileMap memory_file(std::string_view content) {
  const int descriptor = ::memfd_create("input", MFD_CLOEXEC);
  require(descriptor >= 0, "memfd_create");
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    require(written > 0, "write to memory");
    content.remove_prefix(static_cast<size_t>(written));
  }
  auto map = FileMap::from_descriptor(descriptor, "input");
  require(map.ok(), "a map of a file in memory");
  return std::move(*map);
}

}  // namespace scrooge::fuzz
