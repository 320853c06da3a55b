// SPDX-License-Identifier: Apache-2.0
// y = x times a factor of its column, or of its row: one rounded product. y may be x. Bound by memory: 8 bytes an
// element.
#include "backends/cuda/kernels/elementwise.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_scale_columns, 256, ScaleAxisArguments) {
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    const Four<float> s = load_each(args.s.data() + column, count);
    Four<float> x = load(args.x.row(row) + column, count, whole);
#pragma unroll
    for (int i = 0; i < 4; ++i) x.at[i] = __fmul_rn(x.at[i], s.at[i]);
    store(args.y.row(row) + column, x, count, whole);
  });
}

SCROOGE_KERNEL(scrooge_scale_rows, 256, ScaleAxisArguments) {
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    const float s = args.s.data()[row];
    Four<float> x = load(args.x.row(row) + column, count, whole);
#pragma unroll
    for (int i = 0; i < 4; ++i) x.at[i] = __fmul_rn(x.at[i], s);
    store(args.y.row(row) + column, x, count, whole);
  });
}

}  // namespace scrooge::backend::cuda
