// SPDX-License-Identifier: Apache-2.0
// D = Q(W diag s) diag(1/s) - W, a warp per group of a row; blocks of 8 warps, x over all groups of all rows. Bound by
// memory: 4 bytes read and 4 to 6 written a weight. Then a row's losses, weighted and added by one block in f64.
#include "backends/cuda/kernels/scale_search_loss.h"

#include "backends/cuda/kernels/block.cuh"
#include "backends/cuda/kernels/errors.cuh"
#include "backends/cuda/kernels/quantize.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_search_errors, 256, SearchErrorArguments) {
  const Scheme& scheme = args.scheme;
  const int64_t cell = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + warp();
  if (cell >= args.w.rows * scheme.groups) return;  // whole warps
  const int64_t row = cell / scheme.groups;
  const int begin = static_cast<int>(cell - row * scheme.groups) * scheme.group;
  const int end = scheme.k - begin < scheme.group ? scheme.k : begin + scheme.group;
  const float* const w = args.w.row(row);
  const float* const s = args.candidate.data();
  // Lanes beyond a short group take its first weight.
  const int first = begin + lane() < end ? begin + lane() : begin;
  float low = __fmul_rn(w[first], s[first]);
  float high = low;
  for (int k = first + kWarp; k < end; k += kWarp) {
    const float scaled = __fmul_rn(w[k], s[k]);
    low = fminf(low, scaled);
    high = fmaxf(high, scaled);
  }
  const GroupScale group = params_from_range({warp_min(low), warp_max(high)}, scheme);
  for (int k = begin + lane(); k < end; k += kWarp) {
    const float code = quantize_value(__fmul_rn(w[k], s[k]), group, scheme.top);
    const float back = __fmul_rn(dequantize_value(code, group), __fdiv_rn(1.0f, s[k]));
    put_error(args.errors, row, k, __fsub_rn(back, w[k]));
  }
}

SCROOGE_KERNEL(scrooge_search_total, 256, SearchTotalArguments) {
  double sum = 0;
  for (int64_t row = threadIdx.x; row < args.sums.size; row += blockDim.x) {
    const double weight = args.weight.address != 0 ? static_cast<double>(args.weight.data()[row]) : 1.0;
    sum += weight * args.sums.data()[row];
  }
  sum = block_sum(sum, dynamic_shared<double>());
  if (threadIdx.x == 0) args.loss.data()[0] += sum;
}

}  // namespace scrooge::backend::cuda
