// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/elementwise.h"
#include "backends/cuda/kernels/quadratic_form.h"

namespace scrooge::backend::cuda {

struct DifferenceArguments {
  MatrixView<const float> a, b;
  Errors errors;
  Span span;
};

}  // namespace scrooge::backend::cuda
