// SPDX-License-Identifier: Apache-2.0
// src/tensor/quantize_math.h for the card, formula by formula: f32, ties to even, true divisions, nothing contracted
// (the build says --fmad=false), comparisons that treat NaN as the standard library's min, max and clamp do.
#pragma once

#include "backends/cuda/kernels/half.cuh"
#include "backends/cuda/kernels/kernel.cuh"
#include "backends/cuda/kernels/quantize.h"

namespace scrooge::backend::cuda {

struct GroupScale {
  float scale, zero;
};
struct Range {
  float low, high;
};

__device__ __forceinline__ float least_of(float a, float b) { return b < a ? b : a; }
__device__ __forceinline__ float most_of(float a, float b) { return a < b ? b : a; }
__device__ __forceinline__ float clamped(float value, float low, float high) {
  return value < low ? low : high < value ? high : value;
}

__device__ __forceinline__ float round_scale(float scale, int scale_dtype) {
  if (scale_dtype == 1) return most_of(fp16_to_float(float_to_fp16(least_of(scale, 65504.0f))), 0x1p-24f);
  if (scale_dtype == 2) return most_of(bf16_to_float(float_to_bf16(least_of(scale, 0x1.fep127f))), 0x1p-126f);
  return scale;
}

__device__ __forceinline__ Range clipped(Range range, const Clip& clip) {
  if (clip.absmax == 0) return {__fmul_rn(range.low, clip.low_ratio), __fmul_rn(range.high, clip.high_ratio)};
  const float limit = __fmul_rn(clip.high_ratio, most_of(fabsf(range.low), fabsf(range.high)));
  return {clamped(range.low, -limit, limit), clamped(range.high, -limit, limit)};
}

__device__ __forceinline__ GroupScale params_from_range(Range range, const Scheme& scheme) {
  if (scheme.symmetric != 0) {
    const float absmax = most_of(fabsf(range.low), fabsf(range.high));
    const float scale = most_of(__fdiv_rn(absmax, scheme.levels), scheme.smallest);
    return {round_scale(scale, scheme.scale_dtype), scheme.symmetric_zero};
  }
  if (scheme.include_zero != 0) range = {least_of(range.low, 0.0f), most_of(range.high, 0.0f)};
  const float step = __fdiv_rn(__fsub_rn(range.high, range.low), scheme.top);
  const float scale = round_scale(most_of(step, scheme.smallest), scheme.scale_dtype);
  return {scale, clamped(-rintf(__fdiv_rn(range.low, scale)), 0.0f, scheme.top)};
}

__device__ __forceinline__ float quantize_value(float w, GroupScale group, float top) {
  return clamped(__fadd_rn(rintf(__fdiv_rn(w, group.scale)), group.zero), 0.0f, top);
}
__device__ __forceinline__ float dequantize_value(float code, GroupScale group) {
  return __fmul_rn(__fsub_rn(code, group.zero), group.scale);
}

__device__ __forceinline__ bool is_finite(float value) { return fabsf(value) <= 0x1.fffffep127f; }

__device__ __forceinline__ float refitted_scale(float scale, double slope, double curvature, int scale_dtype) {
  if (!(curvature > 0)) return scale;
  const double best = __dadd_rn(static_cast<double>(scale), -__ddiv_rn(slope, curvature));
  if (!(best > 0 && best <= 0x1.fffffep127)) return scale;
  const float rounded = round_scale(static_cast<float>(best), scale_dtype);
  return rounded >= __fmul_rn(scale, 0.5f) && rounded <= __fmul_rn(scale, 2.0f) ? rounded : scale;
}

__device__ __forceinline__ float refined_code(float code, float scale, float slope, float curvature, float top) {
  if (!(curvature > 0)) return code;
  const float step = __fdiv_rn(slope, __fmul_rn(curvature, scale));
  return is_finite(step) ? clamped(rintf(__fsub_rn(code, step)), 0.0f, top) : code;
}

}  // namespace scrooge::backend::cuda
