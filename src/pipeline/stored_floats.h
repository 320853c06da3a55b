// SPDX-License-Identifier: Apache-2.0
// Floats as the bytes of a storage type.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/base/half.h"
#include "src/tensor/dtype.h"

namespace scrooge::pipeline {

// `out` is resized to fit. REQUIRES: dtype is f32, f16 or bf16.
inline void store_floats(std::span<const float> values, DType dtype, std::vector<std::byte>& out) {
  out.resize(values.size() * static_cast<size_t>(dtype_size(dtype)));
  if (dtype == DType::kF32) {
    const auto bytes = std::as_bytes(values);
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return;
  }
  auto* halves = reinterpret_cast<uint16_t*>(out.data());
  for (size_t i = 0; i < values.size(); ++i) {
    halves[i] = dtype == DType::kF16 ? float_to_fp16(values[i]) : float_to_bf16(values[i]);
  }
}

}  // namespace scrooge::pipeline
