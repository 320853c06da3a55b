// SPDX-License-Identifier: Apache-2.0
// refitted_scale() of src/tensor/quantize_math.h for one group of each row, double_float for f64. One invocation a
// row, 64 a workgroup.
#version 450
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/refit_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/quantize_math.glsl"

layout(local_size_x = 64) in;
layout(push_constant, std430) uniform Push { RefitPush p; };
layout(binding = 0, std430) buffer Scales { float scales[]; };
layout(binding = 1, std430) readonly buffer Sums { vec4 sums[]; };

// a / b, each digit from a division that may be off by a few units.
vec2 quotient(vec2 a, vec2 b) {
  const float first = a.x / b.x;
  const vec2 rest = df_add(a, -df_mul(vec2(first, 0), b));
  const float second = rest.x / b.x;
  const vec2 remainder = df_add(rest, -df_mul(vec2(second, 0), b));
  return df_add(fast_two_sum(first, second), vec2(remainder.x / b.x, 0));
}

void main() {
  const uint r = gl_GlobalInvocationID.x;
  if (r >= p.rows) return;
  vec2 slope = vec2(0), curvature = vec2(0);
  for (uint tile = 0; tile < p.tiles; ++tile) {
    const vec4 part = sums[tile * p.rows + r];
    slope = df_add(slope, part.xy);
    curvature = df_add(curvature, part.zw);
  }
  const uint at = p.scales.offset + r * p.scales.stride + p.index;
  const float scale = scales[at];
  if (!(curvature.x > 0)) return;
  const float best = df_add(vec2(scale, 0), -quotient(slope, curvature)).x;
  if (!(best > 0 && floatBitsToUint(best) < 0x7f800000u)) return;
  const float rounded = round_scale(best);
  if (rounded >= scale * 0.5 && rounded <= scale * 2.0) scales[at] = rounded;
}
