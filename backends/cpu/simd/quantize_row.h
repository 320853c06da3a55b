// SPDX-License-Identifier: Apache-2.0
// Group quantization of one row, bit for bit the arithmetic of src/tensor/quantize_math.h.
#pragma once

#include <cstdint>

#include "src/backend/op_params.h"
#include "src/tensor/quantize_math.h"

namespace scrooge::backend::cpu {

struct ValueRange {
  float low = 0;
  float high = 0;
};

// Least and greatest of n >= 1 values.
ValueRange row_range(const float* w, int64_t n);

// The range of one clip candidate, from the range of the group's weights.
inline ValueRange clipped_range(ValueRange range, ClipCandidate clip, ClipRule rule) {
  if (rule == ClipRule::kEnds) return {range.low * clip.low_ratio, range.high * clip.high_ratio};
  const float bound = std::max(std::fabs(range.low), std::fabs(range.high)) * clip.high_ratio;
  return {std::clamp(range.low, -bound, bound), std::clamp(range.high, -bound, bound)};
}

// codes[i] = quantize_value(w[i]).
void quantize_row(const float* w, int64_t n, GroupParams params, float top, uint8_t* codes);
// w[i] = (codes[i] - zero) * scale.
void dequantize_row(const uint8_t* codes, int64_t n, GroupParams params, float* w);
// error[i] = Q(w[i]) - w[i].
void quantize_error_row(const float* w, int64_t n, GroupParams params, float top, float* error);
// A whole row under a candidate scale s: difference = Q(w s) / s - w, with round-to-nearest ranges per group of w s.
// `inverse` is 1/s; `scaled` is room for k values.
void scaled_error_row(const float* w, const float* s, const float* inverse, int64_t k, const QuantSpec& spec,
                      float* scaled, float* difference);

}  // namespace scrooge::backend::cpu
