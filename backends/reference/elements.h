// SPDX-License-Identifier: Apache-2.0
// Typed access to the elements of a view in host memory. Loads widen without loss; stores round to nearest even.
#pragma once

#include <cstdint>
#include <cstring>

#include "src/backend/device.h"
#include "src/base/half.h"

namespace scrooge::backend::reference {

inline std::byte* element_address(const Matrix& m, int64_t row, int64_t column) {
  return m.buffer->host_data() + m.offset + (row * m.stride + column) * dtype_size(m.dtype);
}

inline float load_element(const std::byte* from, DType dtype) {
  if (dtype == DType::kU8) return static_cast<float>(*from);
  if (dtype == DType::kF32) {
    float value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  uint16_t bits = 0;
  std::memcpy(&bits, from, sizeof bits);
  return dtype == DType::kF16 ? fp16_to_float(bits) : bf16_to_float(bits);
}

inline void store_element(std::byte* to, DType dtype, float value) {
  if (dtype == DType::kU8) {
    *to = static_cast<std::byte>(value);
  } else if (dtype == DType::kF32) {
    std::memcpy(to, &value, sizeof value);
  } else {
    const uint16_t bits = dtype == DType::kF16 ? float_to_fp16(value) : float_to_bf16(value);
    std::memcpy(to, &bits, sizeof bits);
  }
}

inline float load(const Matrix& m, int64_t row, int64_t column) {
  return load_element(element_address(m, row, column), m.dtype);
}
inline void store(const Matrix& m, int64_t row, int64_t column, double value) {
  store_element(element_address(m, row, column), m.dtype, static_cast<float>(value));
}

inline float load(const Vector& v, int64_t i) {
  return load_element(v.buffer->host_data() + v.offset + i * dtype_size(v.dtype), v.dtype);
}
inline void store(const Vector& v, int64_t i, double value) {
  store_element(v.buffer->host_data() + v.offset + i * dtype_size(v.dtype), v.dtype, static_cast<float>(value));
}

}  // namespace scrooge::backend::reference
