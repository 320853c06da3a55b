// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/elementwise.h"

namespace scrooge::backend::cuda {

struct ReduceArguments {
  MatrixView<const float> a, b;  // b is a where the sum has one operand
  Span span;
  VectorView<double> partial;  // one of each block
  int32_t kind;                // ReduceParams::Kind
};

struct AddPartialArguments {
  VectorView<const double> partial;
  VectorView<double> result;
};

}  // namespace scrooge::backend::cuda
