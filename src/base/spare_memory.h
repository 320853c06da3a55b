// SPDX-License-Identifier: Apache-2.0
// For calls into libraries that end the process, or write through null, where they are refused memory.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "src/base/status.h"

namespace scrooge {

// kOutOfMemory unless a block is to be had that is larger than all the small ones that such a call takes. It is given
// back at once, so this is no promise, but a process that has run dry does not go on into the call. 50 ns.
inline Status check_spare_memory(std::string_view library) {
  constexpr size_t kSpare = size_t{64} << 10;
  void* volatile spare = std::malloc(kSpare);  // volatile: else the compiler leaves both calls out
  if (spare == nullptr) {
    return error(StatusCode::kOutOfMemory, library, ": the system refused memory; close other programs");
  }
  std::free(spare);
  return {};
}

}  // namespace scrooge
