// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/view.h"

namespace scrooge::backend::cuda {

struct SolveArguments {
  MatrixView<const float> x;  // rows of this piece, and so all below
  MatrixView<float> y;
  MatrixView<const float> factor;
  VectorView<const int32_t> order;
  MatrixView<float> steps, half;  // scratch: x in the order of the steps, and x U^T
};

}  // namespace scrooge::backend::cuda
