// SPDX-License-Identifier: Apache-2.0
// What the two shims and the tests have in common: which calls there are.
#pragma once

#include <array>
#include <cstddef>

namespace scrooge::faults {

enum class FileCall : size_t {
  kWrite,     // pwrite, write
  kSync,      // fsync
  kRename,    // rename
  kTruncate,  // ftruncate
  kAllocate,  // posix_fallocate
  kCreate,    // open that may create, mkostemp
  kUnlink,    // unlink
  kOpen,      // open of what is there
  kRead,      // pread
  kMap,       // mmap of a file
};

inline constexpr std::array kFileCallNames{"write",  "sync",   "rename", "truncate", "allocate",
                                           "create", "unlink", "open",   "read",     "map"};
inline constexpr size_t kFileCalls = kFileCallNames.size();
static_assert(static_cast<size_t>(FileCall::kMap) + 1 == kFileCalls);

}  // namespace scrooge::faults
