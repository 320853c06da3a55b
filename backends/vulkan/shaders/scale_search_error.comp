// SPDX-License-Identifier: Apache-2.0
// error = Q(w diag s) diag(1/s) - w with ranges as round to nearest has them: `lanes` invocations find the range of a
// group together and then each make some of its columns. A workgroup has 256 / lanes groups of one row.
#version 450
#include "backends/vulkan/shaders/quadratic_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/quantize_math.glsl"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Push { ScaleSearchErrorPush p; };
layout(binding = 0, std430) readonly buffer W { float w[]; };
layout(binding = 1, std430) readonly buffer Candidate { float candidate[]; };
layout(binding = 2, std430) writeonly buffer Error { float error[]; };

shared float least[256], greatest[256];

float scaled(float weight, float scale) {
  return uintBitsToFloat(exact_product(floatBitsToUint(weight), floatBitsToUint(scale)));
}

void main() {
  const uint local = gl_LocalInvocationID.x, lane = local % p.lanes, r = gl_WorkGroupID.y;
  const uint g = gl_WorkGroupID.x * (256 / p.lanes) + local / p.lanes;
  const bool real = g < p.groups;
  const uint begin = real ? g * p.group : 0, end = real ? min(begin + p.group, p.cols) : 0;
  const uint row = p.w.offset + r * p.w.stride;
  float low = uintBitsToFloat(0x7f7fffffu), high = -low;
  for (uint c = begin + lane; c < end; c += p.lanes) {
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
  for (uint c = begin + lane; c < end; c += p.lanes) {
    const float weight = w[row + c], scale = candidate[p.candidate.offset + c];
    const float value = dequantize_value(quantize_value(scaled(weight, scale), params), params);
    precise float difference = exact_quotient(value, scale) - weight;
    error[p.error.offset + r * p.error.stride + c] = difference;
  }
}
