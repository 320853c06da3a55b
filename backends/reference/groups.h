// SPDX-License-Identifier: Apache-2.0
// Group ranges and group quantization of a row, in the f32 arithmetic of quantize_math.h: what is decided here is
// decided the same way by every backend.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "src/backend/op_params.h"
#include "src/tensor/quantize_math.h"

namespace scrooge::backend::reference {

// Scale and zero point of one group under one clip candidate. REQUIRES: weights is not empty.
inline GroupParams params_of_group(std::span<const float> weights, ClipCandidate clip, ClipRule rule,
                                   const QuantSpec& spec) {
  const auto [least, greatest] = std::minmax_element(weights.begin(), weights.end());
  float low = *least;
  float high = *greatest;
  if (rule == ClipRule::kEnds) {
    low *= clip.low_ratio;
    high *= clip.high_ratio;
  } else {
    const float limit = clip.high_ratio * std::max(std::fabs(low), std::fabs(high));
    low = std::clamp(low, -limit, limit);
    high = std::clamp(high, -limit, limit);
  }
  return params_from_range(low, high, spec);
}

// w quantized and dequantized.
inline float fake_quantize(float w, GroupParams params, const QuantSpec& spec) {
  return dequantize_value(quantize_value(w, params, static_cast<float>(spec.max_code())), params);
}

// The columns [begin, end) of group p of a row of k weights.
struct GroupSpan {
  int64_t begin, end;
};
inline GroupSpan group_span(int64_t p, int64_t k, const QuantSpec& spec) {
  const int64_t length = spec.group_length(k);
  return {p * length, std::min(k, (p + 1) * length)};
}

}  // namespace scrooge::backend::reference
