// SPDX-License-Identifier: Apache-2.0
// error = Q(w diag s) diag(1/s) - w with ranges as round to nearest has them: `lanes` invocations find the range of a
// group together and then each make some of its columns. A workgroup has 256 / lanes groups of one row or, with kFours,
// of all rows in turn, of which an invocation has four columns.
#version 450
#include "backends/vulkan/shaders/quadratic_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/quantize_math.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 8) const bool kFours = false;
layout(push_constant, std430) uniform Push { ScaleSearchErrorPush p; };
layout(binding = 0, std430) readonly buffer W { float w[]; };
layout(binding = 0, std430) readonly buffer FourW { vec4 four_w[]; };
layout(binding = 1, std430) readonly buffer Candidate { float candidate[]; };
layout(binding = 1, std430) readonly buffer FourCandidate { vec4 four_candidate[]; };
layout(binding = 2, std430) writeonly buffer Error { float error[]; };
layout(binding = 2, std430) writeonly buffer FourError { vec4 four_error[]; };

shared float least[256], greatest[256];

float scaled(float weight, float scale) {
  return uintBitsToFloat(exact_product(floatBitsToUint(weight), floatBitsToUint(scale)));
}

float rounding_error(float weight, float scale, float value, vec2 params) {
  value = dequantize_value(quantize_value(value, params), params);
  precise float difference = exact_quotient(value, scale) - weight;
  return difference;
}

void main() {
  const uint local = gl_LocalInvocationID.x, lane = local % p.lanes;
  uint r = gl_WorkGroupID.y, g = gl_WorkGroupID.x * (256 / p.lanes) + local / p.lanes;
  if (kFours) {
    r = g / p.groups;
    g -= r * p.groups;
  }
  const bool real = g < p.groups && r < p.rows;
  const uint begin = real ? g * p.group : 0, end = real ? min(begin + p.group, p.cols) : 0;
  const uint row = p.w.offset + r * p.w.stride, to = p.error.offset + r * p.error.stride;
  float low = uintBitsToFloat(0x7f7fffffu), high = -low;
  vec4 weights = vec4(0), scales = vec4(1), values = vec4(0);
  if (kFours && real) {
    weights = four_w[(row + begin) / 4 + lane];
    scales = four_candidate[(p.candidate.offset + begin) / 4 + lane];
    for (uint i = 0; i < 4; ++i) {
      values[i] = scaled(weights[i], scales[i]);
      low = min(low, values[i]);
      high = max(high, values[i]);
    }
  }
  for (uint c = begin + lane; c < end && !kFours; c += p.lanes) {
    const float value = scaled(w[row + c], candidate[p.candidate.offset + c]);
    low = min(low, value);
    high = max(high, value);
  }
  least[local] = low;
  greatest[local] = high;
  for (uint half_lanes = p.lanes / 2; half_lanes > 0; half_lanes /= 2) {
    barrier();
    if (lane < half_lanes) {
      least[local] = min(least[local], least[local + half_lanes]);
      greatest[local] = max(greatest[local], greatest[local + half_lanes]);
    }
  }
  barrier();
  if (!real) return;
  const vec2 params = params_from_range(least[local - lane], greatest[local - lane]);
  if (kFours) {
    vec4 errors;
    for (uint i = 0; i < 4; ++i) errors[i] = rounding_error(weights[i], scales[i], values[i], params);
    four_error[(to + begin) / 4 + lane] = errors;
    return;
  }
  for (uint c = begin + lane; c < end; c += p.lanes) {
    const float weight = w[row + c], scale = candidate[p.candidate.offset + c];
    error[to + c] = rounding_error(weight, scale, scaled(weight, scale), params);
  }
}
