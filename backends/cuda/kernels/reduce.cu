// SPDX-License-Identifier: Apache-2.0
// Sums over all elements in f64. Blocks take pieces of 1024 elements of a row in turn and leave one number each; a
// second kernel of one block adds those. Orders depend on the shape only. Bound by memory: 4 or 8 bytes an element.
#include "backends/cuda/kernels/reduce.h"

#include "backends/cuda/kernels/block.cuh"
#include "backends/cuda/kernels/elementwise.cuh"

namespace scrooge::backend::cuda {
namespace {

__device__ __forceinline__ double part(int kind, float a, float b) {
  switch (kind) {
    case 0: return fabsf(a) <= 0x1.fffffep127f ? 0.0 : 1.0;
    case 2: {
      const double difference = static_cast<double>(a) - static_cast<double>(b);
      return difference * difference;
    }
    default: return static_cast<double>(a) * static_cast<double>(b);  // of a sum of squares b is a
  }
}

}  // namespace

SCROOGE_KERNEL(scrooge_reduce, 256, ReduceArguments) {
  const Span& span = args.span;
  const int64_t pieces = (span.cols + 1023) / 1024;
  const bool two = args.kind >= 2;
  double sum = 0;
  for (int64_t piece = blockIdx.x; piece < span.rows * pieces; piece += gridDim.x) {
    const int64_t row = piece / pieces;
    const int64_t column = (piece - row * pieces) * 1024 + static_cast<int64_t>(threadIdx.x) * 4;
    if (column >= span.cols) continue;
    const int count = span.cols - column < 4 ? static_cast<int>(span.cols - column) : 4;
    const bool whole = span.whole != 0 && count == 4;
    const Four<float> a = load(args.a.row(row) + column, count, whole);
    const Four<float> b = two ? load(args.b.row(row) + column, count, whole) : a;
#pragma unroll
    for (int i = 0; i < 4; ++i) sum += i < count ? part(args.kind, a.at[i], b.at[i]) : 0.0;
  }
  double* const room = dynamic_shared<double>();
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) args.partial.data()[blockIdx.x] = sum;
}

SCROOGE_KERNEL(scrooge_reduce_partial, 256, AddPartialArguments) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < args.partial.size; i += blockDim.x) sum += args.partial.data()[i];
  double* const room = dynamic_shared<double>();
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) args.result.data()[0] = sum;
}

}  // namespace scrooge::backend::cuda
