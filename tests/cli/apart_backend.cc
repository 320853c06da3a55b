// SPDX-License-Identifier: Apache-2.0
// The command with one more device: tests/support/apart_device.h. APART_LOST="N M" loses it after N calls, and the next
// one after M; APART_CAPACITY=BYTES is what it has, whatever it says.
#include <cstdlib>
#include <sstream>

#include "tests/support/apart_device.h"

namespace scrooge::backend {

std::span<const Backend> extra_backends() {
  static const Backend kApart[] = {test::apart_backend()};
  test::ApartState& state = test::ApartState::get();
  if (const char* const lost = std::getenv("APART_LOST")) {
    std::istringstream counts(lost);
    for (int64_t calls = 0; counts >> calls;) state.lost_after.push_back(calls);
  }
  if (const char* const capacity = std::getenv("APART_CAPACITY")) state.capacity = std::strtoull(capacity, nullptr, 10);
  return kApart;
}

}  // namespace scrooge::backend
