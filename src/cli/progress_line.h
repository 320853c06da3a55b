// SPDX-License-Identifier: Apache-2.0
// Shows a job's progress on standard error. On a terminal one line is redrawn in place and every finished block leaves
// its own line above it; elsewhere only the lines of finished blocks are written, free of control characters.
#pragma once

#include <scrooge/scrooge.h>

#include <chrono>
#include <cstdio>
#include <string_view>

#include "src/cli/console.h"

namespace scrooge::cli {

// One thread at a time.
class ProgressLine {
 public:
  // `silent` shows notices only.
  ProgressLine(std::FILE* stream, bool silent);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(const scrooge_progress& progress);
  // A line of its own; the live line steps aside.
  void notice(Notice kind, std::string_view text);
  // Takes the live line off the terminal.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void draw(const scrooge_progress& progress);

  std::FILE* stream_;
  bool silent_;
  bool animated_;
  bool coloured_;
  bool drawn_ = false;
  Clock::time_point next_draw_{};
};

}  // namespace scrooge::cli
