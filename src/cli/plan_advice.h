// SPDX-License-Identifier: Apache-2.0
// What would let a job run in less memory.
#pragma once

#include <scrooge/scrooge.h>

#include <cstdint>
#include <string>
#include <vector>

namespace scrooge::cli {

struct Advice {
  std::string change;  // "--effort fast"
  uint64_t minimum;    // the budget, of device or host, that the job could then run in
};

// Changes, one at a time, that bring the minimum of the host's memory, or the device's, below that of `plan`, each
// tried by preparing the job with it. Strings in `options` are lent.
std::vector<Advice> lower_minimums(const scrooge_quantize_options& options, const scrooge_plan& plan, bool of_device);

}  // namespace scrooge::cli
