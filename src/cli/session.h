// SPDX-License-Identifier: Apache-2.0
// One long call of the library as the command makes it: signals cancel it, progress and log lines reach the terminal.
#pragma once

#include <scrooge/scrooge.h>

#include <cstdint>
#include <string>

#include "src/cli/cancel_scope.h"
#include "src/cli/progress_line.h"

namespace scrooge::cli {

struct SessionOptions {
  bool quiet = false;    // no progress; warnings and errors only
  bool verbose = false;  // the library's remarks as well
};

class Session {
 public:
  explicit Session(const SessionOptions& options);

  // Sets the callbacks of `Options` (scrooge_quantize_options or scrooge_evaluate_options). REQUIRES: the session
  // outlives the calls and the job made with them, and does not move.
  template <typename Options>
  void attach(Options& options) {
    options.progress = &Session::on_progress;
    options.progress_user = this;
    options.log = &Session::on_log;
    options.log_user = this;
  }

  // For calls that take a callback without options; `user` is the session.
  static int32_t on_progress(void* user, const scrooge_progress* progress);

  // A line of its own that is no result: which device it is, for one.
  void remark(const std::string& text);
  // Takes the live line away before results or errors are printed.
  void finish() { line_.clear(); }

  uint64_t peak_bytes() const { return peak_bytes_; }
  uint64_t device_peak_bytes() const { return device_peak_bytes_; }
  // Sums over the finished blocks.
  double loss() const { return loss_; }
  double loss_rtn() const { return loss_rtn_; }

 private:
  static void on_log(void* user, int32_t level, const char* text);

  CancelScope cancel_;
  ProgressLine line_;
  bool quiet_;
  bool verbose_;
  uint64_t peak_bytes_ = 0;
  uint64_t device_peak_bytes_ = 0;
  double loss_ = 0;
  double loss_rtn_ = 0;
};

}  // namespace scrooge::cli
