// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and its like. While a CancelScope lives, the first SIGINT, SIGTERM or SIGHUP asks the running call to stop and
// the second ends the process at once with exit code 130.
#pragma once

#include <scrooge/scrooge.hpp>

namespace scrooge::cli {

// One at a time per process. Restores the earlier signal dispositions at its end.
class CancelScope {
 public:
  CancelScope();
  ~CancelScope();
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;
};

// True once a signal came. Progress callbacks return SCROOGE_CANCEL then.
bool cancel_requested();

// While it lives, a signal also cancels `job`, and so between two progress callbacks. REQUIRES: job outlives it.
class CancelTarget {
 public:
  explicit CancelTarget(scrooge_job* job);
  ~CancelTarget();
  CancelTarget(const CancelTarget&) = delete;
  CancelTarget& operator=(const CancelTarget&) = delete;
};

}  // namespace scrooge::cli
