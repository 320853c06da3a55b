// SPDX-License-Identifier: Apache-2.0
#include "src/cli/plan_advice.h"

#include <scrooge/scrooge.hpp>
#include <utility>

namespace scrooge::cli {
namespace {

constexpr uint32_t kShortest = 128;  // tokens; half of it no longer calibrates anything

}  // namespace

std::vector<Advice> lower_minimums(const scrooge_quantize_options& options, uint64_t minimum) {
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
    changed.memory = UINT64_MAX;
    changed.device_memory = 0;
    changed.log = nullptr;  // everything was said the first time
    const Expected<Job> job = Job::prepare(changed);
    if (!job) continue;
    const Expected<scrooge_plan> plan = job->plan();
    if (plan && plan->minimum_bytes < minimum - minimum / 100) advice.push_back({text, plan->minimum_bytes});
  }
  return advice;
}

}  // namespace scrooge::cli
