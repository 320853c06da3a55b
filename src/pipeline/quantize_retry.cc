// SPDX-License-Identifier: Apache-2.0
// What a job does about a device that fails it: a lost one is made once more; one that refuses memory which its budget
// allowed gets a plan that holds less there. Either way the attempt is given up with all that was on the device, and
// the next one goes on behind the last finished block, as another process would.
#include "src/pipeline/quantize_job.h"

namespace scrooge::pipeline {

// Forgets what the attempt knew; the journal has it.
void QuantizeJob::start_over() {
  states_.reset();
  blocks_.clear();
  reports_.clear();
  resumed_blocks_ = 0;
  device_made_ = false;
}

// An error takes the place of `failure`. With true the residency may be another.
Result<bool> QuantizeJob::may_try_again(const Status& failure, const Budgets& budgets) {
  constexpr int kRefusals = 8;  // each costs what an interruption does
  if (device_.info.host_memory) return false;
  if (!device_made_) {
    if (device_losses_ == 0 || failure.code() != StatusCode::kUnavailable) return false;
    return failure.with_context("the device was lost and could not be made again");
  }
  if (failure.code() == StatusCode::kUnavailable) {
    if (++device_losses_ > 1) return failure.with_context("the device was lost a second time");
    log(options_.log, LogLevel::kWarning, "device ", options_.device, ": ", failure.message(),
        "; it is made once more, and the work since the last finished block is done again");
    return true;
  }
  if (failure.code() != StatusCode::kOutOfMemory || !device_.own_memory() || budgets.host.refused()) return false;
  // What it refused is in the peak, for the budget is asked first.
  const uint64_t before = plan_memory().sum(Pool::kDevice);
  const uint64_t refused = std::min(before, std::max<uint64_t>(budgets.device.peak(), 1));
  device_ceiling_ = std::min(device_ceiling_, refused - 1);
  const Residency held = residency_;
  const MemoryPlan next = choose_residency();
  const uint64_t after = next.sum(Pool::kDevice);
  if (after >= before || next.sum() > options_.memory || ++device_refusals_ > kRefusals) {
    residency_ = held;
    return failure.with_advice(concat("the job holds at least ", format_bytes(std::min(before, after)),
                                      " on the device", next.sum() > options_.memory ? " with this --memory" : "",
                                      "; close other programs that use it, give shorter samples, or another --device"));
  }
  log(options_.log, LogLevel::kWarning, "device ", options_.device, ": ", failure.message(), "; going on with ",
      format_bytes(after), " there instead of ", format_bytes(before), " (", residency_text(residency_), ")");
  return true;
}

}  // namespace scrooge::pipeline
