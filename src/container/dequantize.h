// SPDX-License-Identifier: Apache-2.0
// Canonical rows of planes back to f32 (plane_codec.h has those of other layouts). Plain loops: for inspection, export
// and tests, not for inference.
#pragma once

#include <cstddef>
#include <span>

#include "src/tensor/dtype.h"
#include "src/tensor/quant_spec.h"

namespace scrooge::container {

// The same rows of each plane; zeros empty where there is no such plane, every zero then being that of a symmetric
// group.
struct QuantizedRows {
  std::span<const std::byte> codes;
  std::span<const std::byte> scales;
  std::span<const std::byte> zeros;
  std::span<const std::byte> input_scale;  // f32[cols] to divide by, or empty
};

// out[r, k] = (code - zero) * scale [/ input_scale[k]]. REQUIRES: the spans hold out.size() / cols rows of `spec`.
void dequantize_rows(const QuantizedRows& rows, const QuantSpec& spec, uint64_t cols, std::span<float> out);

// False for element types that are not floating point. REQUIRES: bytes holds out.size() elements.
bool convert_to_f32(std::span<const std::byte> bytes, DType dtype, std::span<float> out);

}  // namespace scrooge::container
