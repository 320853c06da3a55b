// SPDX-License-Identifier: Apache-2.0
// From the contract's matrices to what kernels get.
#pragma once

#include "backends/cuda/cuda_device.h"
#include "backends/cuda/kernels/view.h"
#include "src/backend/op_params.h"

namespace scrooge::backend::cuda {

inline CuAddress address_of(const Buffer* buffer, uint64_t offset) {
  return static_cast<const CudaBuffer*>(buffer)->address() + offset;
}

// REQUIRES: m is valid and T is its element.
template <typename T>
MatrixView<T> view(const Matrix& m) {
  return {address_of(m.buffer, m.offset), m.rows, m.cols, m.stride};
}
// An absent vector has the address 0.
template <typename T>
VectorView<T> view(const Vector& v) {
  return {v ? address_of(v.buffer, v.offset) : 0, v.size};
}

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace scrooge::backend::cuda
