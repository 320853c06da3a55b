// SPDX-License-Identifier: Apache-2.0
// src/tensor/quantize_math.h, to the bit. The scheme is specialization constants 4 to 7, see quant_constants.h. Needs
// half.glsl and exact.glsl.

layout(constant_id = 4) const uint kTop = 15;  // the largest code
layout(constant_id = 5) const bool kSymmetric = false;
layout(constant_id = 6) const uint kRange = 0;      // RangeRule
layout(constant_id = 7) const uint kScaleType = 1;  // DType: 0 f32, 1 f16, 2 bf16
const uint kMinMax = 1, kFullRange = 2;

// REQUIRES: scale >= 0, whose order is that of its bits.
float round_scale(float scale) {
  const uint bits = floatBitsToUint(scale);
  if (kScaleType == 1) return uintBitsToFloat(max(fp16_to_float(float_to_fp16(min(bits, 0x477fe000u))), 0x33800000u));
  if (kScaleType == 2) return uintBitsToFloat(max(bf16_to_float(float_to_bf16(min(bits, 0x7f7f0000u))), 0x00800000u));
  return scale;
}

// Scale and zero point.
vec2 params_from_range(float low, float high) {
  const float kSmallest = 1e-8, top = float(kTop);
  if (kSymmetric) {
    const float levels = kRange == kFullRange ? top * 0.5 : float(kTop >> 1);
    const float scale = exact_quotient(max(abs(low), abs(high)), levels);
    return vec2(round_scale(max(scale, kSmallest)), float((kTop >> 1) + 1));
  }
  if (kRange != kMinMax) {
    low = min(low, 0.0);
    high = max(high, 0.0);
  }
  const float least = kRange == kMinMax ? exact_quotient(1e-5, top) : kSmallest;
  precise float width = high - low;
  const float scale = round_scale(max(exact_quotient(width, top), least));
  const float zero = -rounded_quotient(low, scale);
  return vec2(scale, zero < 0 ? 0.0 : zero > top ? top : zero);
}

// The code, an integer in [0, kTop].
float quantize_value(float w, vec2 params) {
  precise float code = rounded_quotient(w, params.x) + params.y;
  return clamp(code, 0.0, float(kTop));
}

float dequantize_value(float code, vec2 params) {
  precise float value = (code - params.y) * params.x;
  return value;
}

// What rounding does to w.
float quantize_error(float w, vec2 params) {
  precise float error = dequantize_value(quantize_value(w, params), params) - w;
  return error;
}
