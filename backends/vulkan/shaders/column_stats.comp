// SPDX-License-Identifier: Apache-2.0
// Sums of |x| and x and the maximum of |x| over rows, added to what is there. 32 columns a workgroup, 8 invocations
// each, whose sums carry a remainder.
#version 450
#include "backends/vulkan/shaders/row_push.h"
#include "backends/vulkan/shaders/double_float.glsl"

layout(local_size_x = 32, local_size_y = 8) in;
layout(constant_id = 0) const bool kSumAbs = true;
layout(constant_id = 1) const bool kSum = true;
layout(constant_id = 2) const bool kMaxAbs = true;
layout(push_constant, std430) uniform Push { ColumnStatsPush p; };
layout(binding = 0, std430) readonly buffer X { float x[]; };
layout(binding = 1, std430) buffer SumAbs { float sum_abs[]; };
layout(binding = 2, std430) buffer Sum { float sum[]; };
layout(binding = 3, std430) buffer MaxAbs { float max_abs[]; };

shared vec2 sums_abs[256], sums[256];
shared float maxima[256];

vec2 added(vec2 to, float value) {
  const vec2 next = two_sum(to.x, value);
  precise float rest = to.y + next.y;
  return vec2(next.x, rest);
}

void main() {
  const uint c = gl_GlobalInvocationID.x, local = gl_LocalInvocationIndex;
  vec2 own_abs = vec2(0), own = vec2(0);
  float greatest = 0;
  if (c < p.cols) {
    for (uint r = gl_LocalInvocationID.y; r < p.rows; r += 8) {
      const float value = x[p.x.offset + r * p.x.stride + c];
      if (kSumAbs) own_abs = added(own_abs, abs(value));
      if (kSum) own = added(own, value);
      if (abs(value) > greatest) greatest = abs(value);
    }
  }
  sums_abs[local] = own_abs;
  sums[local] = own;
  maxima[local] = greatest;
  barrier();
  if (gl_LocalInvocationID.y != 0 || c >= p.cols) return;
  for (uint lane = 1; lane < 8; ++lane) {
    own_abs = df_add(own_abs, sums_abs[lane * 32 + local]);
    own = df_add(own, sums[lane * 32 + local]);
    greatest = max(greatest, maxima[lane * 32 + local]);
  }
  if (kSumAbs) sum_abs[p.sum_abs + c] += own_abs.x + own_abs.y;
  if (kSum) sum[p.sum + c] += own.x + own.y;
  if (kMaxAbs) max_abs[p.max_abs + c] = max(max_abs[p.max_abs + c], greatest);
}
