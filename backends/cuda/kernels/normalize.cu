// SPDX-License-Identifier: Apache-2.0
// y = x / sqrt(mean(x^2) + epsilon) * gamma, per row; y may be x. A block per row, squares summed in f64. Bound by
// memory: 8 bytes an element where a row stays in cache for the second pass.
#include "backends/cuda/kernels/normalize.h"

#include "backends/cuda/kernels/block.cuh"
#include "backends/cuda/kernels/elementwise.cuh"

namespace scrooge::backend::cuda {
namespace {

// body(first column, count, whole) for the columns of this thread.
template <typename Body>
__device__ __forceinline__ void for_each_of_row(const Span& span, const Body& body) {
  for (int64_t column = static_cast<int64_t>(threadIdx.x) * 4; column < span.cols; column += 1024) {
    const int count = span.cols - column < 4 ? static_cast<int>(span.cols - column) : 4;
    body(column, count, span.whole != 0 && count == 4);
  }
}

}  // namespace

SCROOGE_KERNEL(scrooge_normalize, 256, NormalizeArguments) {
  const int64_t row = blockIdx.x;
  const float* const x = args.x.row(row);
  double squares = 0;
  for_each_of_row(args.span, [&](int64_t column, int count, bool whole) {
    const Four<float> four = load(x + column, count, whole);
#pragma unroll
    for (int i = 0; i < 4; ++i) squares += static_cast<double>(four.at[i]) * static_cast<double>(four.at[i]);
  });
  squares = block_sum(squares, dynamic_shared<double>());
  const double mean = squares / static_cast<double>(args.span.cols) + static_cast<double>(args.epsilon);
  const float factor = static_cast<float>(1.0 / sqrt(mean));
  for_each_of_row(args.span, [&](int64_t column, int count, bool whole) {
    const Four<float> gamma = load_each(args.gamma.data() + column, count);
    Four<float> four = load(x + column, count, whole);
#pragma unroll
    for (int i = 0; i < 4; ++i) four.at[i] = __fmul_rn(__fmul_rn(four.at[i], factor), gamma.at[i]);
    store(args.y.row(row) + column, four, count, whole);
  });
}

}  // namespace scrooge::backend::cuda
