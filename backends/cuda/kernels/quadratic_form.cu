// SPDX-License-Identifier: Apache-2.0
// The end of e G e^T: a row of e times a row of e G, in f64, added to the row's sum. A block per row. Bound by memory:
// 8 bytes an element.
#include "backends/cuda/kernels/quadratic_form.h"

#include "backends/cuda/kernels/block.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_row_dot, 128, RowDotArguments) {
  const int64_t row = blockIdx.x;
  const float* const errors = args.errors.row(row) + args.begin;
  const float* const product = args.product.row(row);
  double sum = 0;
  for (int64_t i = threadIdx.x; i < args.product.cols; i += blockDim.x) {
    sum += static_cast<double>(product[i]) * static_cast<double>(errors[i]);
  }
  sum = block_sum(sum, dynamic_shared<double>());
  if (threadIdx.x == 0) args.sums.data()[row] += sum;
}

}  // namespace scrooge::backend::cuda
