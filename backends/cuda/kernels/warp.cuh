// SPDX-License-Identifier: Apache-2.0
// Reductions over a warp, in a fixed order: halves are folded onto each other, so every lane has the same bits.
#pragma once

#include "backends/cuda/kernels/kernel.cuh"

namespace scrooge::backend::cuda {

template <typename T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kWholeWarp, value, step);
  return value;
}
__device__ __forceinline__ float warp_min(float value) {
  for (int step = kWarp / 2; step > 0; step /= 2) value = fminf(value, __shfl_xor_sync(kWholeWarp, value, step));
  return value;
}
__device__ __forceinline__ float warp_max(float value) {
  for (int step = kWarp / 2; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(kWholeWarp, value, step));
  return value;
}

}  // namespace scrooge::backend::cuda
