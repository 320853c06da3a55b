// SPDX-License-Identifier: Apache-2.0
// How a stage is solved.
#pragma once

#include "src/awq/rounding/rounding.h"

namespace scrooge::awq {

struct SolveOptions {
  QuantSpec spec;
  int64_t grid = 20;  // alpha steps; below 2 only the identity
  bool clip = true;
  const Rounding* rounding = &kNearest;
  double correct = 0;  // c, 0 to 1
  int refine = 0;      // sweeps of coordinate descent on the codes after rounding, and before each refit
  int refit = 0;       // sweeps of scale refitting
  // The solution also says what quantizing again takes: clip indices and the inputs' means.
  bool keep_calibration = false;

  bool needs_factor() const { return rounding->needs_factor || correct > 0; }
  // Whether a weaker scale is looked for (solve_scale.cc), with the factor that the correction has.
  bool weakens() const { return rounding->needs_factor && grid >= 2; }
};

}  // namespace scrooge::awq
