// SPDX-License-Identifier: Apache-2.0
// e = a - b. Bound by memory: 12 bytes an element.
#include "backends/cuda/kernels/gram_loss.h"

#include "backends/cuda/kernels/elementwise.cuh"
#include "backends/cuda/kernels/errors.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_difference, 256, DifferenceArguments) {
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    const Four<float> a = load(args.a.row(row) + column, count, whole);
    const Four<float> b = load(args.b.row(row) + column, count, whole);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (i < count) put_error(args.errors, row, column + i, __fsub_rn(a.at[i], b.at[i]));
    }
  });
}

}  // namespace scrooge::backend::cuda
