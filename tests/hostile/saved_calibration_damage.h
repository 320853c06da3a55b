// SPDX-License-Identifier: Apache-2.0
// One small file of calibration results in memory, to be damaged, and the model that it is of.
#pragma once

#include "tests/hostile/scrooge_damage.h"
#include "tests/support/calibration_sample.h"

namespace scrooge::hostile {

// The golden tiny_llama.
const pipeline::ModelSource& sample_model();
// The same for the whole program.
const Sample& calibration_sample();

}  // namespace scrooge::hostile
