// SPDX-License-Identifier: Apache-2.0
// y += alpha x. A product and a sum, each rounded; bound by memory: 12 bytes an element.
#include "backends/cuda/kernels/elementwise.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_add, 256, AddArguments) {
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    const Four<float> x = load(args.x.row(row) + column, count, whole);
    float* const to = args.y.row(row) + column;
    Four<float> y = load<float>(to, count, whole);
#pragma unroll
    for (int i = 0; i < 4; ++i) y.at[i] = __fadd_rn(y.at[i], __fmul_rn(args.alpha, x.at[i]));
    store(to, y, count, whole);
  });
}

}  // namespace scrooge::backend::cuda
