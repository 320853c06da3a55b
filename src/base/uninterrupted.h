// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>

namespace scrooge {

// Makes a system call again for as long as a signal interrupts it. `call` gives -1 and errno on failure.
template <typename Call>
auto uninterrupted(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

}  // namespace scrooge
