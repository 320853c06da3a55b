// SPDX-License-Identifier: Apache-2.0
// What else a job could run with, for the message that refuses it.
#include "src/pipeline/quantize_job.h"

namespace scrooge::pipeline {

// "give --effort fast (needs 36.0 MiB) or --threads 1 (needs 44.2 MiB), ", as far as that lowers the minimum of the
// memory that is too small; nothing otherwise. The job is as before.
std::string QuantizeJob::cheaper_settings(uint64_t minimum, bool of_device) {
  std::string text;
  const auto consider = [&](std::string_view setting, const auto& change) {
    const QuantizeOptions options = options_;
    const awq::SolveOptions solve = solve_;
    const Residency residency = residency_;
    change();
    const MemoryPlan memory = choose_residency();
    const uint64_t needed = of_device ? memory.device_minimum_bytes : memory.minimum_bytes;
    options_ = options;
    solve_ = solve;
    residency_ = residency;
    if (needed >= minimum - minimum / 100) return;
    text += concat(text.empty() ? "give " : " or ", setting, " (needs ", format_bytes(needed), ")");
  };
  if (calibrates() && options_.effort != Effort::kFast) {
    consider("--effort fast", [&] {
      const bool keep_calibration = solve_.keep_calibration;
      options_.effort = Effort::kFast;
      (void)choose_solver();  // of valid options
      solve_.keep_calibration = keep_calibration;
    });
  }
  if (options_.threads > 1) {
    consider("--threads 1", [&] { options_.threads = 1; });
  }
  return text.empty() ? text : text + ", ";
}

}  // namespace scrooge::pipeline
