// SPDX-License-Identifier: Apache-2.0
// For calls into libraries that end the process, or write through null, where they are refused memory.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "src/base/status.h"

namespace scrooge {

// kOutOfMemory unless a block is to be had that is larger than all that such a call takes: `bytes`, by default more
// than any small one. It is given back at once, so this is no promise, but a process that has run dry does not go on
// into the call. 50 ns; some microseconds for megabytes.
inline Status check_spare_memory(std::string_view library, size_t bytes = size_t{64} << 10) {
  constexpr size_t kMapped = size_t{1} << 20;  // above it not from the heap, which may have room where nothing else has
  bool had = false;
  if (bytes < kMapped) {
    void* volatile spare = std::malloc(bytes);  // volatile: else the compiler leaves both calls out
    had = spare != nullptr;
    std::free(spare);
  } else {
    void* const spare = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    had = spare != MAP_FAILED;
    if (had) ::munmap(spare, bytes);
  }
  if (!had) {
    return error(StatusCode::kOutOfMemory, library,
                 ": the system refused memory; close other programs, raise the limit of the process (ulimit -d), or "
                 "give a smaller --memory");
  }
  return {};
}

}  // namespace scrooge
