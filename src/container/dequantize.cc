// SPDX-License-Identifier: Apache-2.0
#include "src/container/dequantize.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "src/base/half.h"
#include "src/tensor/pack_bits.h"
#include "src/tensor/quantize_math.h"

namespace scrooge::container {
bool convert_to_f32(std::span<const std::byte> bytes, DType dtype, std::span<float> out) {
  if (dtype == DType::kF32) {
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size_bytes());
    return true;
  }
  if (dtype != DType::kF16 && dtype != DType::kBF16) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + 2 * i, sizeof bits);
    out[i] = dtype == DType::kF16 ? fp16_to_float(bits) : bf16_to_float(bits);
  }
  return true;
}

void dequantize_rows(const QuantizedRows& rows, const QuantSpec& spec, uint64_t cols, std::span<float> out) {
  const auto k = static_cast<int64_t>(cols);
  const auto groups = static_cast<size_t>(spec.groups(k));
  const auto length = static_cast<size_t>(spec.group_length(k));
  const auto code_bytes = static_cast<size_t>(spec.code_row_bytes(k));
  const size_t zero_bytes = (groups * static_cast<size_t>(spec.bits) + 7) / 8;
  const size_t scale_bytes = groups * static_cast<size_t>(dtype_size(spec.scale_dtype));
  std::vector<uint8_t> codes(cols);
  std::vector<uint8_t> zeros(groups, static_cast<uint8_t>(spec.symmetric_zero()));
  std::vector<float> scales(groups);
  std::vector<float> input_scale(rows.input_scale.empty() ? 0 : cols);
  (void)convert_to_f32(rows.input_scale, DType::kF32, input_scale);
  for (size_t row = 0; row * cols < out.size(); ++row) {
    unpack_bits(rows.codes.subspan(row * code_bytes, code_bytes), spec.bits, codes);
    if (!rows.zeros.empty()) unpack_bits(rows.zeros.subspan(row * zero_bytes, zero_bytes), spec.bits, zeros);
    (void)convert_to_f32(rows.scales.subspan(row * scale_bytes, scale_bytes), spec.scale_dtype, scales);
    const auto values = out.subspan(row * cols, cols);
    for (size_t i = 0; i < cols; ++i) {
      const size_t group = i / length;
      values[i] = dequantize_value(codes[i], {scales[group], static_cast<float>(zeros[group])});
    }
    for (size_t i = 0; i < input_scale.size(); ++i) values[i] /= input_scale[i];
  }
}

}  // namespace scrooge::container
