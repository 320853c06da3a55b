// SPDX-License-Identifier: Apache-2.0
#include "src/cli/plan_advice.h"

#include <scrooge/scrooge.hpp>
#include <utility>

namespace scrooge::cli {
namespace {

constexpr uint32_t kShortest = 128;  // tokens; half of it no longer calibrates anything

}  // namespace

std::vector<Advice> lower_minimums(const scrooge_quantize_options& options, const scrooge_plan& refused,
                                   bool of_device) {
  const auto minimum_of = [&](const scrooge_plan& plan) {
    return of_device ? plan.device_minimum_bytes : plan.minimum_bytes;
  };
  const uint64_t minimum = minimum_of(refused);
  std::vector<std::pair<std::string, scrooge_quantize_options>> changes;
  const auto change = [&](std::string text, auto&& make) {
    scrooge_quantize_options changed = options;
    make(changed);
    changes.emplace_back(std::move(text), changed);
  };
  if (options.method == SCROOGE_METHOD_AWQ) {
    if (options.spill == nullptr) {
      change("--spill FOLDER", [](scrooge_quantize_options& o) { o.spill = "."; });
    }
    if (options.effort != SCROOGE_EFFORT_FAST) {
      change("--effort fast", [](scrooge_quantize_options& o) { o.effort = SCROOGE_EFFORT_FAST; });
    }
    if (options.length > kShortest) {
      change("--length " + std::to_string(options.length / 2), [](scrooge_quantize_options& o) { o.length /= 2; });
    }
    if (options.samples > 1) {
      change("--samples " + std::to_string(options.samples / 2), [](scrooge_quantize_options& o) { o.samples /= 2; });
    }
    change("--preset minimal", [](scrooge_quantize_options& o) { (void)apply_preset(o, "minimal"); });
  }
  if (options.threads != 1) {
    change("--threads 1", [](scrooge_quantize_options& o) { o.threads = 1; });
  }
  std::vector<Advice> advice;
  for (auto& [text, changed] : changes) {
    // The other memory stays as it is.
    if (of_device) {
      changed.device_memory = UINT64_MAX;
    } else {
      changed.memory = UINT64_MAX;
      if (refused.device_own_memory == 0) changed.device_memory = 0;
    }
    changed.log = nullptr;  // everything was said the first time
    const Expected<Job> job = Job::prepare(changed);
    if (!job) continue;
    const Expected<scrooge_plan> plan = job->plan();
    if (plan && minimum_of(*plan) < minimum - minimum / 100) advice.push_back({text, minimum_of(*plan)});
  }
  return advice;
}

}  // namespace scrooge::cli
