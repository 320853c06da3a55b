// SPDX-License-Identifier: Apache-2.0
// Matrices and vectors as kernels get them: plain numbers, the same layout on the host and on the card.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define SCROOGE_ON_DEVICE __device__ __forceinline__
#else
#define SCROOGE_ON_DEVICE inline
#endif

namespace scrooge::backend::cuda {

// The pointer, which the compiler may take as one to global memory.
template <typename T>
SCROOGE_ON_DEVICE T* global_pointer(uint64_t address) {
  T* const pointer = reinterpret_cast<T*>(address);
#ifdef __CUDACC__
  __builtin_assume(__isGlobal(pointer));
#endif
  return pointer;
}

// Element (r, c) at row(r)[c].
template <typename T>
struct MatrixView {
  uint64_t address;  // of element (0, 0)
  int64_t rows, cols;
  int64_t stride;  // elements from row to row
  SCROOGE_ON_DEVICE T* row(int64_t r) const { return global_pointer<T>(address) + r * stride; }
};

template <typename T>
struct VectorView {
  uint64_t address;
  int64_t size;
  SCROOGE_ON_DEVICE T* data() const { return global_pointer<T>(address); }
};

// Codes and halves as they lie in memory.
using Bits16 = uint16_t;
using Code = uint8_t;

}  // namespace scrooge::backend::cuda
