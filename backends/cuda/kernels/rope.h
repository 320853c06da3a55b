// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/view.h"

namespace scrooge::backend::cuda {

// One row per position: cosines of half a head, then its sines, times the magnitude.
struct RopeTableArguments {
  VectorView<const float> inv_freq;
  MatrixView<float> table;
  float magnitude;
};

struct RopeArguments {
  MatrixView<float> x;
  MatrixView<const float> table;
  int64_t head_width;
  int64_t sequence_length;
  int64_t half;  // pairs of a head
};

}  // namespace scrooge::backend::cuda
