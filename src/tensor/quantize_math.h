// SPDX-License-Identifier: Apache-2.0
// The scalar arithmetic of group quantization, shared by every host-side path so that decisions are the same bytes
// everywhere. f32 throughout, round half to even, no fused multiply-add (the build sets -ffp-contract=off).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/base/half.h"
#include "src/tensor/quant_spec.h"

namespace scrooge {

struct GroupParams {
  float scale = 0;
  float zero = 0;  // an integer value
};

// Nearest number that the scale plane can hold, never zero, infinite or NaN for a finite positive input.
inline float round_scale(float scale, DType dtype) {
  if (dtype == DType::kF16) {
    const float rounded = fp16_to_float(float_to_fp16(std::min(scale, 65504.0f)));
    return std::max(rounded, 0x1p-24f);  // the smallest subnormal
  }
  if (dtype == DType::kBF16) {
    const float rounded = bf16_to_float(float_to_bf16(std::min(scale, 0x1.fep127f)));
    return std::max(rounded, 0x1p-126f);
  }
  return scale;
}

// Scale and zero point for the range [low, high] of one group.
inline GroupParams params_from_range(float low, float high, const QuantSpec& spec) {
  constexpr float kSmallest = 1e-8f;
  const auto top = static_cast<float>(spec.max_code());
  if (spec.symmetric) {
    const float absmax = std::max(std::fabs(low), std::fabs(high));
    const float levels = spec.range == RangeRule::kFullRange ? top / 2 : static_cast<float>(spec.symmetric_zero() - 1);
    return {round_scale(std::max(absmax / levels, kSmallest), spec.scale_dtype),
            static_cast<float>(spec.symmetric_zero())};
  }
  if (spec.range != RangeRule::kMinMax) {
    low = std::min(low, 0.0f);
    high = std::max(high, 0.0f);
  }
  const float floor = spec.range == RangeRule::kMinMax ? 1e-5f / top : kSmallest;
  const float scale = round_scale(std::max((high - low) / top, floor), spec.scale_dtype);
  const float zero = std::clamp(-std::nearbyint(low / scale), 0.0f, top);
  return {scale, zero};
}

// The code as a float holding an integer in [0, 2^bits - 1].
inline float quantize_value(float w, GroupParams params, float top) {
  return std::clamp(std::nearbyint(w / params.scale) + params.zero, 0.0f, top);
}

inline float dequantize_value(float code, GroupParams params) { return (code - params.zero) * params.scale; }

// Where a scale goes whose loss changes by 2 slope d + curvature d^2 when it moves by d: to the least loss, as `dtype`
// can hold it. It stays where that is not positive and finite, or more than a factor of 2 away.
inline float refitted_scale(float scale, double slope, double curvature, DType dtype) {
  if (!(curvature > 0)) return scale;
  const double best = static_cast<double>(scale) - slope / curvature;
  if (!(best > 0 && best <= static_cast<double>(std::numeric_limits<float>::max()))) return scale;
  const float rounded = round_scale(static_cast<float>(best), dtype);
  return rounded >= scale / 2 && rounded <= scale * 2 ? rounded : scale;
}

// Where a code goes whose loss changes by 2 slope d + curvature d^2 when its weight moves by d: to the least loss that
// a code can give.
inline float refined_code(float code, float scale, float slope, float curvature, float top) {
  if (!(curvature > 0)) return code;
  const float step = slope / (curvature * scale);
  return std::isfinite(step) ? std::clamp(std::nearbyint(code - step), 0.0f, top) : code;
}

}  // namespace scrooge
