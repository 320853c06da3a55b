// SPDX-License-Identifier: Apache-2.0
// Time of one piece of work on a device, and what the device can do at best.
#pragma once

#include "src/backend/device.h"
#include "src/base/result.h"
#include "tests/bench/ops/case.h"

namespace scrooge::bench {

struct Effort {
  int runs = 7;  // after one to warm up
  // No further run once they took so long. Work that takes five times that alone is not run again to be timed.
  double seconds = 2;
};

struct Timing {
  int runs = 0;
  double seconds = 0;            // the median run, by the clock on the wall
  double processor_seconds = 0;  // of this process, all threads, in the average run
};

// Synchronizes around every run. Work that takes less than a millisecond is asked for many times in one run, as a job
// does it, and its time divided; unless it has something to reset.
Result<Timing> measure(backend::Device& device, const Work& work, const Effort& effort);

// Operations and bytes a second; 0: not known.
struct Peaks {
  double fast = 0;   // products with Precision::kFast
  double exact = 0;  // products with Precision::kExact; also taken for arithmetic on elements
  double bytes = 0;
};

// Of one large product with each precision and one large copy on the device itself.
Peaks measure_peaks(backend::Device& device, const ShapeSet& set, const Effort& effort);

// The least time in which the case can be done at these peaks: its operations or its bytes, whichever takes longer. 0
// where a peak it needs is not known.
double floor_seconds(const Case& item, const Peaks& peaks);

}  // namespace scrooge::bench
