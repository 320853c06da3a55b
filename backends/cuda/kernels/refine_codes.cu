// SPDX-License-Identifier: Apache-2.0
// Coordinate descent on the codes of a row, a block per row. 256 channels are looked at at once: until the first that
// moves they decide by the slopes as they are, which is what one after another would do; that one moves, all slopes
// follow by a row of G, and the look goes on behind it. So a sweep costs a look at every channel and a row of G for
// each move, and its result is that of the serial definition.
#include "backends/cuda/kernels/refine_codes.h"

#include "backends/cuda/kernels/quantize.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_refine_codes, 256, RefineCodesArguments) {
  __shared__ unsigned moved_lanes[8];  // of each warp: who would move
  __shared__ float change;
  const Scheme& scheme = args.scheme;
  const int64_t row = blockIdx.x;
  const int self = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(blockDim.x);
  float* const stored = args.slopes.row(row);
  float* const slopes = args.shared_slopes != 0 ? dynamic_shared<float>() : stored;
  if (args.shared_slopes != 0) {
    for (int c = self; c < scheme.k; c += threads) slopes[c] = stored[c];
  }
  __syncthreads();
  for (int sweep = 0; sweep < args.sweeps; ++sweep) {
    bool any = false;  // the same in all threads
    for (int begin = 0; begin < scheme.k; begin += threads) {
      const int channel = begin + self;
      const bool real = channel < scheme.k;
      const float scale = real ? args.scales.row(row)[channel / scheme.group] : 1.0f;
      const float curvature = real ? args.gram.row(channel)[channel] : 0.0f;
      const float before = real ? static_cast<float>(args.codes.row(row)[channel]) : 0.0f;
      int done = 0;  // threads whose channel has decided
      while (done < threads) {
        float after = before;
        if (real && self >= done) after = refined_code(before, scale, slopes[channel], curvature, scheme.top);
        const bool moves = after != before;
        const unsigned lanes = __ballot_sync(kWholeWarp, moves ? 1 : 0);
        if (lane() == 0) moved_lanes[warp()] = lanes;
        __syncthreads();
        int first = threads;
        for (int w = threads / kWarp - 1; w >= 0; --w) {
          if (moved_lanes[w] != 0) first = w * kWarp + __ffs(static_cast<int>(moved_lanes[w])) - 1;
        }
        if (first == threads) {
          __syncthreads();  // moved_lanes is written again
          break;
        }
        if (self == first) {
          args.codes.row(row)[channel] = static_cast<Code>(after);
          change = __fmul_rn(__fsub_rn(after, before), scale);
        }
        __syncthreads();
        const float* const column = args.gram.row(begin + first);
        const float by = change;
        for (int c = self; c < scheme.k; c += threads) slopes[c] = __fadd_rn(slopes[c], __fmul_rn(by, column[c]));
        __syncthreads();
        any = true;
        done = first + 1;
      }
    }
    if (!any) break;
  }
}

}  // namespace scrooge::backend::cuda
