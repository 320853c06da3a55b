// SPDX-License-Identifier: Apache-2.0
// What a running job tells its caller, and how the caller stops it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "src/base/cancel.h"
#include "src/base/memory_budget.h"

namespace scrooge::pipeline {

enum class Phase : int32_t {
  kPrepare = 0,
  kBlock = 1,
  kBlockDone = 2,
  kFinish = 3,
  kEvaluate = 4,
  kVerify = 5,
  kRepack = 6
};

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
  // Of a device with memory of its own; 0, and no limit, for the others.
  uint64_t device_memory_before = 0;
  uint64_t device_memory_after = 0;
  uint64_t device_memory_peak = 0;  // of this block
  uint64_t device_memory_limit = MemoryBudget::kUnlimited;
};

// Returns false to stop.
using ProgressSink = std::function<bool(const Progress&)>;

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Carries the sink, the cancel flag and the figures that every report shares. One thread, but for cancelled(). As a
// token of the work it repeats the last report where the next one takes long, so that a sink that wants to stop is
// asked many times a second.
class Reporter final : public CancelToken {
 public:
  // `device`: of a device with memory of its own; null for the others.
  Reporter(ProgressSink sink, const MemoryBudget& budget, const std::atomic<bool>* cancelled,
           const MemoryBudget* device = nullptr)
      : sink_(std::move(sink)), budget_(budget), device_(device), cancelled_(cancelled) {}

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
    if (device_ != nullptr) {
      state_.device_memory_after = device_->used();
      state_.device_memory_peak = device_->peak();
      state_.device_memory_limit = device_->limit();
    }
    if (sink_ && !sink_(state_)) stopped_.store(true, std::memory_order_relaxed);
    reported_ = state_.elapsed_seconds;
    return cancelled() ? cancelled_status() : Status();
  }

  bool cancelled() const override {
    return stopped_.load(std::memory_order_relaxed) ||
           (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed));
  }
  bool poll() override {
    constexpr double kLongSeconds = 0.05;
    if (sink_ && !cancelled() && watch_.seconds() - reported_ > kLongSeconds) {
      (void)report(state_.phase, state_.stage, state_.fraction);
    }
    return cancelled();
  }

 private:
  ProgressSink sink_;
  const MemoryBudget& budget_;
  const MemoryBudget* device_;
  const std::atomic<bool>* cancelled_;
  std::atomic<bool> stopped_{false};
  Stopwatch watch_;
  double reported_ = 0;  // on the watch
  Progress state_;
};

}  // namespace scrooge::pipeline
