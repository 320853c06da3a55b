// SPDX-License-Identifier: Apache-2.0
// How fast a device is, as the time plan takes it.
#pragma once

#include "src/pipeline/device_choice.h"

namespace scrooge::pipeline {

struct DeviceRates {
  double exact = 0;  // f32 operations a second of a large product, all threads together
  double fast = 0;   // the same at Precision::kFast
  double bytes = 0;  // a second, of operations that only pass through memory
  bool measured = false;
};

// Of the host, by a short product on one thread, timed once per process and backend (a few milliseconds of processor
// time, so that other work on the machine does not show); of a card stated ones, for it is not to be woken for a plan.
DeviceRates device_rates(const ChosenDevice& device, int threads);

}  // namespace scrooge::pipeline
