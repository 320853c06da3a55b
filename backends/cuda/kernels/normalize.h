// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/elementwise.h"

namespace scrooge::backend::cuda {

struct NormalizeArguments {
  MatrixView<const float> x;
  MatrixView<float> y;
  VectorView<const float> gamma;
  Span span;
  float epsilon;
};

}  // namespace scrooge::backend::cuda
