// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/view.h"

namespace scrooge::backend::cuda {

// Rows of errors, in f32 and, where products are bf16, once more so (address 0 otherwise).
struct Errors {
  MatrixView<float> values;
  MatrixView<Bits16> rounded;
};

// sums[r] += sum over j of product[r,j] errors[r, begin + j].
struct RowDotArguments {
  MatrixView<const float> errors, product;
  VectorView<double> sums;
  int64_t begin;
};

}  // namespace scrooge::backend::cuda
