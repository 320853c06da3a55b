// SPDX-License-Identifier: Apache-2.0
// The least and greatest weight of one group, by one warp: neighbouring lanes read neighbouring weights.
#pragma once

#include "backends/cuda/kernels/quantize.cuh"
#include "backends/cuda/kernels/warp.cuh"

namespace scrooge::backend::cuda {

// Called by all lanes of a warp; all get the result. REQUIRES: the group is not empty.
__device__ __forceinline__ Range group_range(const float* w, int length) {
  // Lanes beyond a short group take its first weight.
  const float first = w[lane() < length ? lane() : 0];
  float low = first;
  float high = first;
  for (int i = lane() + kWarp; i < length; i += kWarp) {
    low = fminf(low, w[i]);
    high = fmaxf(high, w[i]);
  }
  return {warp_min(low), warp_max(high)};
}

}  // namespace scrooge::backend::cuda
