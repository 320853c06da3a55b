// SPDX-License-Identifier: Apache-2.0
// Sums over a block, in a fixed order: within warps, then over the warps.
#pragma once

#include "backends/cuda/kernels/warp.cuh"

namespace scrooge::backend::cuda {

// `room` is shared memory for a number per warp, free again when the function returns. All threads call it and all get
// the sum.
__device__ __forceinline__ double block_sum(double value, double* room) {
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  value = warp_sum(value);
  if (lane() == 0) room[warp()] = value;
  __syncthreads();
  double sum = lane() < warps ? room[lane()] : 0.0;
  sum = warp_sum(sum);
  __syncthreads();
  return sum;
}

}  // namespace scrooge::backend::cuda
