// SPDX-License-Identifier: Apache-2.0
// Elements four at a time: a thread has four neighbours of a row, read and written as one word where all views allow it
// (Span::whole). Launch: 256 threads; x over 1024-element pieces of a row, y over rows.
#pragma once

#include "backends/cuda/kernels/elementwise.h"
#include "backends/cuda/kernels/kernel.cuh"

namespace scrooge::backend::cuda {

// Four elements of T as one load or store.
template <typename T>
struct alignas(4 * sizeof(T)) Four {
  T at[4];
};

template <typename T>
__device__ __forceinline__ Four<T> load_each(const T* from, int count) {
  Four<T> four{};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (i < count) four.at[i] = from[i];
  }
  return four;
}
template <typename T>
__device__ __forceinline__ void store_each(T* to, const Four<T>& four, int count) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (i < count) to[i] = four.at[i];
  }
}

// body(row, first column, count, whole): count is 1 to 4; with whole it is 4 and the words are aligned.
template <typename Body>
__device__ __forceinline__ void for_each_four(const Span& span, const Body& body) {
  const int64_t column = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * 4;
  if (column >= span.cols) return;
  const int count = span.cols - column < 4 ? static_cast<int>(span.cols - column) : 4;
  for (int64_t row = blockIdx.y; row < span.rows; row += gridDim.y) {
    body(row, column, count, span.whole != 0 && count == 4);
  }
}

template <typename T>
__device__ __forceinline__ Four<T> load(const T* from, int count, bool whole) {
  return whole ? *reinterpret_cast<const Four<T>*>(from) : load_each(from, count);
}
template <typename T>
__device__ __forceinline__ void store(T* to, const Four<T>& four, int count, bool whole) {
  if (whole) {
    *reinterpret_cast<Four<T>*>(to) = four;
  } else {
    store_each(to, four, count);
  }
}

}  // namespace scrooge::backend::cuda
