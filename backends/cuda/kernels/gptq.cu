// SPDX-License-Identifier: Apache-2.0
// GPTQ in panels of 64 steps, the same operations on every weight in the same order as the processor's backend: so the
// codes are the same bytes. by_step holds the weights in the order of the steps, updated as errors are spread.
//   gather: by_step = w[:, order].           256 threads, x over columns, y over rows
//   panel:  rounds the panel's steps.        A warp per row, 8 rows a block; the factor's panel in shared memory
//   spread: by_step[:, later] -= error V^T.  product_tile.cuh, 128 x 128 tiles; x over steps, y over rows
// N K^2 operations that are not fused, half of what the card could do with fused ones.
#include "backends/cuda/kernels/gptq.h"

#include "backends/cuda/kernels/product_tile.cuh"
#include "backends/cuda/kernels/quantize.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_gptq_gather, 256, GptqArguments) {
  const int64_t step = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (step >= args.scheme.k) return;
  const int channel = args.order.data()[step];
  for (int64_t row = blockIdx.y; row < args.w.rows; row += gridDim.y) {
    args.by_step.row(row)[step] = args.w.row(row)[channel];
  }
}

// Lane l has the steps l and l + 32 of the panel. Shared: the factor [step of the panel][later step of the panel], so
// that the lanes read neighbouring words.
SCROOGE_KERNEL(scrooge_gptq_panel, 256, GptqArguments) {
  float* const factor = dynamic_shared<float>();
  constexpr int kStride = kGptqSteps + 1;  // written along the other way
  const int count = args.end - args.begin;
  const int32_t* const order = args.order.data() + args.begin;
  for (int i = static_cast<int>(threadIdx.x); i < kGptqSteps * kGptqSteps; i += static_cast<int>(blockDim.x)) {
    const int later = i / kGptqSteps;
    const int step = i % kGptqSteps;
    if (later < count && step <= later) {
      factor[step * kStride + later] = args.factor.row(args.begin + later)[args.begin + step];
    }
  }
  __syncthreads();
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + warp();
  if (row >= args.w.rows) return;  // whole warps, after the last barrier
  float weight[2], scale[2], zero[2], code[2] = {0, 0}, error[2] = {0, 0};
  int channel[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int step = lane() + half * kWarp;
    const bool real = step < count;
    channel[half] = real ? order[step] : 0;
    const int group = channel[half] / args.scheme.group;
    weight[half] = real ? args.by_step.row(row)[args.begin + step] : 0.0f;
    scale[half] = real ? args.scales.row(row)[group] : 1.0f;
    zero[half] = real ? args.zeros.row(row)[group] : 0.0f;
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {  // constant indices keep the arrays in registers
    for (int owner = 0; owner < kWarp; ++owner) {
      const int step = half * kWarp + owner;
      if (step >= count) break;
      // Every lane works on its own weight; the owner's result is the one that counts.
      const GroupScale group{scale[half], zero[half]};
      const float rounded = quantize_value(weight[half], group, args.scheme.top);
      const float difference = __fsub_rn(weight[half], dequantize_value(rounded, group));
      const float own = __fdiv_rn(difference, factor[step * kStride + step]);
      const float spread = __shfl_sync(kWholeWarp, own, owner);
      if (lane() == owner) {
        code[half] = rounded;
        error[half] = own;
      }
#pragma unroll
      for (int part = half; part < 2; ++part) {
        const int later = lane() + part * kWarp;
        if (later > step && later < count) {
          weight[part] = __fsub_rn(weight[part], __fmul_rn(factor[step * kStride + later], spread));
        }
      }
    }
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int step = lane() + half * kWarp;
    if (step < count) {
      args.codes.row(row)[channel[half]] = static_cast<Code>(code[half]);
      args.error.row(row)[step] = error[half];
    }
  }
}

SCROOGE_KERNEL(scrooge_gptq_spread, 256, GptqArguments) {
  float* const shared = dynamic_shared<float>();
  const int first_step = args.end + static_cast<int>(blockIdx.x) * kTile;
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kTile;
  const int steps = args.scheme.k;
  float sums[8][8] = {};
  for_each_part(first_row, first_step, args.w.rows, steps, sums,
                [&](int64_t row, int step, float& sum) { sum = args.by_step.row(row)[step]; });
  const auto error = [&](int along, int step) {
    const int64_t row = first_row + along;
    return row < args.w.rows ? args.error.row(row)[step] : 0.0f;
  };
  const auto factor = [&](int along, int step) {
    const int later = first_step + along;
    return later < steps ? args.factor.row(later)[args.begin + step] : 0.0f;
  };
  multiply_tile<SubtractStep, true, true>(error, factor, 0, args.end - args.begin,
                                          {args.w.rows - first_row, steps - first_step}, shared, sums);
  for_each_part(first_row, first_step, args.w.rows, steps, sums,
                [&](int64_t row, int step, float sum) { args.by_step.row(row)[step] = sum; });
}

}  // namespace scrooge::backend::cuda
