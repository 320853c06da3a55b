// SPDX-License-Identifier: Apache-2.0
// How a kernel is declared. The same sources are compiled by nvcc for the card and, in tests, by the host's compiler
// with tests/support/cuda_shim/device.h in front, which knows these and no other words of CUDA:
//   threadIdx, blockIdx, blockDim, gridDim (x, y, z)    __shared__, __device__, __forceinline__
//   __syncthreads(), __syncwarp(), and the warp functions below, always called by all 32 lanes of a warp
//   atomicAdd, atomicMax, atomicCAS    __float_as_uint, __uint_as_float, __double_as_longlong, ...    math.h
// Blocks are one-dimensional, of whole warps. No thread leaves while others of its block still meet at a barrier.
#pragma once

#include "backends/cuda/kernels/view.h"

#ifndef SCROOGE_KERNEL
// SCROOGE_KERNEL(name, threads of a block, Arguments) { ... args ... }
#define SCROOGE_KERNEL(name, threads, Arguments) \
  extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ Arguments args)
#endif

namespace scrooge::backend::cuda {

inline constexpr unsigned kWholeWarp = 0xffffffffu;
inline constexpr int kWarp = 32;

#ifdef __CUDACC__
// The block's dynamic shared memory, aligned to 16 bytes; its size comes with the launch.
template <typename T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char scrooge_dynamic_shared[];
  return reinterpret_cast<T*>(scrooge_dynamic_shared);
}
#endif

__device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x) % kWarp; }
__device__ __forceinline__ int warp() { return static_cast<int>(threadIdx.x) / kWarp; }

}  // namespace scrooge::backend::cuda
