// SPDX-License-Identifier: Apache-2.0
// How many of the faults that there are a test makes.
#pragma once

#include <cstdlib>
#include <string_view>

namespace scrooge::faults {

// SCROOGE_FAULTS=all in the environment: every one.
inline bool all_faults() {
  const char* const wanted = std::getenv("SCROOGE_FAULTS");
  return wanted != nullptr && std::string_view(wanted) == "all";
}

// Otherwise every `usual`-th.
inline unsigned long stride(unsigned long usual) { return all_faults() ? 1 : usual; }

}  // namespace scrooge::faults
