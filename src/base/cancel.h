// SPDX-License-Identifier: Apache-2.0
// How work in progress learns that it is to stop. Whoever does the work asks between two pieces of it, of about 50 ms
// at most, and gives kCancelled back; what it was making is then of no worth.
#pragma once

#include "src/base/status.h"

namespace scrooge {

class CancelToken {
 public:
  virtual ~CancelToken() = default;
  // From any thread, at the price of a load. Once true it stays true.
  virtual bool cancelled() const = 0;
  // The same, by the one thread that runs the job; may ask the caller of the library.
  virtual bool poll() = 0;
};

inline Status cancelled_status() { return error(StatusCode::kCancelled, "cancelled"); }

// kCancelled when poll() says so; a null token never does.
inline Status check_cancelled(CancelToken* token) {
  return token != nullptr && token->poll() ? cancelled_status() : Status();
}

}  // namespace scrooge
