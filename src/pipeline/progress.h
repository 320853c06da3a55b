// SPDX-License-Identifier: Apache-2.0
// What a running job tells its caller, and how the caller stops it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "src/base/memory_budget.h"
#include "src/base/status.h"

namespace scrooge::pipeline {

enum class Phase : int32_t { kPrepare = 0, kBlock = 1, kBlockDone = 2, kFinish = 3, kEvaluate = 4, kVerify = 5 };

struct Progress {
  Phase phase = Phase::kPrepare;
  uint32_t block = 0;
  uint32_t blocks = 0;
  double fraction = 0;
  double elapsed_seconds = 0;
  double eta_seconds = -1;
  double tokens_per_second = 0;
  double calibrate_seconds = 0;
  double quantize_seconds = 0;
  double loss = 0;
  double loss_rtn = 0;
  uint64_t memory_before = 0;
  uint64_t memory_after = 0;
  uint64_t memory_peak = 0;
  uint64_t memory_limit = MemoryBudget::kUnlimited;
  const char* stage = "";
};

// Returns false to stop.
using ProgressSink = std::function<bool(const Progress&)>;

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Carries the sink, the cancel flag and the figures that every report shares. One thread, but for `cancelled`.
class Reporter {
 public:
  Reporter(ProgressSink sink, const MemoryBudget& budget, const std::atomic<bool>* cancelled)
      : sink_(std::move(sink)), budget_(budget), cancelled_(cancelled) {}

  Progress& state() { return state_; }
  double elapsed() const { return watch_.seconds(); }

  // Fills time and memory in and calls the sink. kCancelled when either side asked to stop.
  Status report(Phase phase, const char* stage, double fraction) {
    state_.phase = phase;
    state_.stage = stage;
    state_.fraction = fraction;
    state_.elapsed_seconds = watch_.seconds();
    state_.eta_seconds = fraction > 0.01 ? state_.elapsed_seconds * (1 - fraction) / fraction : -1;
    state_.memory_after = budget_.used();
    state_.memory_peak = budget_.peak();
    state_.memory_limit = budget_.limit();
    const bool stop =
        (sink_ && !sink_(state_)) || (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed));
    return stop ? error(StatusCode::kCancelled, "cancelled") : Status();
  }

 private:
  ProgressSink sink_;
  const MemoryBudget& budget_;
  const std::atomic<bool>* cancelled_;
  Stopwatch watch_;
  Progress state_;
};

}  // namespace scrooge::pipeline
