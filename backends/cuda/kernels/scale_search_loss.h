// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/quadratic_form.h"
#include "backends/cuda/kernels/quantize.h"

namespace scrooge::backend::cuda {

// Rows of w under one candidate.
struct SearchErrorArguments {
  MatrixView<const float> w;
  VectorView<const float> candidate;
  Errors errors;
  Scheme scheme;
};

// loss += sum over rows of weight * sums; no weights (address 0) are ones.
struct SearchTotalArguments {
  VectorView<const double> sums;
  VectorView<const float> weight;
  VectorView<double> loss;
};

}  // namespace scrooge::backend::cuda
