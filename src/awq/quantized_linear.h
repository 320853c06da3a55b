// SPDX-License-Identifier: Apache-2.0
// One quantized linear in device memory, before packing.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::awq {

// Some of its rows, or scratch of the same form.
struct QuantizedView {
  backend::Matrix codes;   // u8 [N,K]
  backend::Matrix scales;  // f32 [N,P]
  backend::Matrix zeros;   // f32 [N,P]

  QuantizedView rows(int64_t first, int64_t count) const {
    return {codes.row_range(first, count), scales.row_range(first, count), zeros.row_range(first, count)};
  }
  QuantizedView rows(int64_t count) const { return rows(0, count); }
};

struct QuantizedLinear {
  int64_t rows = 0;  // N
  int64_t cols = 0;  // K
  QuantSpec spec;
  std::unique_ptr<backend::Buffer> codes_buffer;   // u8 [N,K]
  std::unique_ptr<backend::Buffer> scales_buffer;  // f32 [N,P]
  std::unique_ptr<backend::Buffer> zeros_buffer;   // f32 [N,P]

  static uint64_t device_bytes(int64_t rows, int64_t cols, const QuantSpec& spec);
  static Result<QuantizedLinear> create(backend::Device& device, int64_t rows, int64_t cols, const QuantSpec& spec);

  backend::Matrix codes() const { return {codes_buffer.get(), 0, rows, cols, cols, DType::kU8}; }
  backend::Matrix scales() const {
    const int64_t p = spec.groups(cols);
    return {scales_buffer.get(), 0, rows, p, p, DType::kF32};
  }
  backend::Matrix zeros() const {
    const int64_t p = spec.groups(cols);
    return {zeros_buffer.get(), 0, rows, p, p, DType::kF32};
  }
  QuantizedView rows_from(int64_t first, int64_t count) const {
    return {codes().row_range(first, count), scales().row_range(first, count), zeros().row_range(first, count)};
  }
};

// Divides the rows of the linear by s[N]: a row factor changes the row's group scales and nothing else, so the codes
// stay. Scales are rounded to the storage type again.
Status fold_rows(backend::Device& device, std::span<const float> s, QuantizedLinear& linear);

}  // namespace scrooge::awq
