// SPDX-License-Identifier: Apache-2.0
// Rotary embedding in place on x[T, heads * d]. Cosines and sines come from a table over positions, made first, in f64:
// sequences and heads share it. A thread has a pair; x over the pairs of a row, y over rows. Bound by memory: 8 bytes
// an element.
#include "backends/cuda/kernels/rope.h"

#include "backends/cuda/kernels/kernel.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_rope_table, 128, RopeTableArguments) {
  const int64_t half = args.inv_freq.size;
  const int64_t cell = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (cell >= args.table.rows * half) return;
  const int64_t position = cell / half;
  const int64_t i = cell - position * half;
  const double angle = static_cast<double>(position) * static_cast<double>(args.inv_freq.data()[i]);
  float* const row = args.table.row(position);
  row[i] = static_cast<float>(cos(angle) * static_cast<double>(args.magnitude));
  row[half + i] = static_cast<float>(sin(angle) * static_cast<double>(args.magnitude));
}

SCROOGE_KERNEL(scrooge_rope, 256, RopeArguments) {
  const int64_t pair = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t head = pair / args.half;
  const int64_t i = pair - head * args.half;
  if (head >= args.x.cols / args.head_width) return;
  for (int64_t row = blockIdx.y; row < args.x.rows; row += gridDim.y) {
    const float* const table = args.table.row(row % args.sequence_length);
    const float cosine = table[i];
    const float sine = table[args.half + i];
    float* const x = args.x.row(row) + head * args.head_width + i;
    const float first = x[0];
    const float second = x[args.half];
    x[0] = __fsub_rn(__fmul_rn(first, cosine), __fmul_rn(second, sine));
    x[args.half] = __fadd_rn(__fmul_rn(second, cosine), __fmul_rn(first, sine));
  }
}

}  // namespace scrooge::backend::cuda
