// SPDX-License-Identifier: Apache-2.0
// The words of CUDA that kernels use (backends/cuda/kernels/kernel.cuh lists them), for the host's compiler: put in
// front of every .cu file of the test build. Threads are fibers of emulator.h; meeting points switch to the next one.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tests/support/cuda_shim/emulator.h"

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static

#define SCROOGE_KERNEL(name, most_threads, Arguments)                                                                  \
  static void name(const Arguments& args);                                                                             \
  static const ::scrooge::test::shim::KernelEntry name##_entry = {                                                     \
      __FILE__, #name, most_threads, sizeof(Arguments),                                                                \
      [](const void* arguments) { name(*static_cast<const Arguments*>(arguments)); }};                                 \
  __attribute__((section("scrooge_kernels"), used)) static const ::scrooge::test::shim::KernelEntry* const name##_at = \
      &name##_entry;                                                                                                   \
  static void name([[maybe_unused]] const Arguments& args)

using scrooge::test::shim::blockDim;
using scrooge::test::shim::blockIdx;
using scrooge::test::shim::gridDim;
using scrooge::test::shim::threadIdx;

struct alignas(16) float4 {
  float x, y, z, w;
};

namespace scrooge::backend::cuda {

// Not fused, which is a call where the processor may lack it, and most of the time of a tile: bounds hold for both.
inline float fmaf(float a, float b, float c) { return a * b + c; }
inline double fma(double a, double b, double c) { return a * b + c; }

template <typename T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(test::shim::dynamic_shared_memory());
}

}  // namespace scrooge::backend::cuda

inline void __syncthreads() { scrooge::test::shim::meet_block(); }
inline void __syncwarp(unsigned = 0xffffffffu) { (void)scrooge::test::shim::meet_warp('s', 0, 0); }

template <typename T>
T scrooge_shim_shuffle(T value, int source) {
  static_assert(sizeof(T) <= 8);
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  const uint64_t other = scrooge::test::shim::meet_warp('x', bits, source);
  std::memcpy(&value, &other, sizeof value);
  return value;
}
template <typename T>
T __shfl_sync(unsigned, T value, int source) {
  return scrooge_shim_shuffle(value, source % 32);
}
template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return scrooge_shim_shuffle(value, static_cast<int>(threadIdx.x % 32) ^ mask);
}
template <typename T>
T __shfl_down_sync(unsigned, T value, int delta) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  return scrooge_shim_shuffle(value, lane + delta < 32 ? lane + delta : lane);
}
template <typename T>
T __shfl_up_sync(unsigned, T value, int delta) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  return scrooge_shim_shuffle(value, lane - delta >= 0 ? lane - delta : lane);
}
inline unsigned __ballot_sync(unsigned, int predicate) {
  return static_cast<unsigned>(scrooge::test::shim::meet_warp('b', predicate != 0 ? 1 : 0, 0));
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0 ? 1 : 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == 0xffffffffu ? 1 : 0; }

// One thread runs at a time.
template <typename T>
T atomicAdd(T* at, T value) {
  const T before = *at;
  *at += value;
  return before;
}
template <typename T>
T atomicMax(T* at, T value) {
  const T before = *at;
  *at = std::max(before, value);
  return before;
}
template <typename T>
T atomicOr(T* at, T value) {
  const T before = *at;
  *at |= value;
  return before;
}
template <typename T>
T atomicCAS(T* at, T expected, T value) {
  const T before = *at;
  if (before == expected) *at = value;
  return before;
}
inline void __threadfence() {}
inline void __threadfence_block() {}

// The build contracts nothing, so plain operators round once.
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline long long __double_as_longlong(double value) { return std::bit_cast<long long>(value); }
inline double __longlong_as_double(long long bits) { return std::bit_cast<double>(bits); }
inline int __ffs(int bits) { return bits == 0 ? 0 : std::countr_zero(static_cast<unsigned>(bits)) + 1; }
inline int __popc(unsigned bits) { return std::popcount(bits); }
template <typename T>
T __ldg(const T* from) {
  return *from;
}
