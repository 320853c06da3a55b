// SPDX-License-Identifier: Apache-2.0
// A sum over 16384 elements a workgroup, as a double_float number, or a count of those that are not finite.
#version 450
#include "backends/vulkan/shaders/reduce_push.h"
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/workgroup_sum.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint kKind = 0;  // 0 not finite, 1 a^2, 2 (a - b)^2, 3 a b
layout(push_constant, std430) uniform Push { ReducePush p; };
layout(binding = 0, std430) readonly buffer A { uint a[]; };
layout(binding = 1, std430) readonly buffer B { float b[]; };
layout(binding = 2, std430) writeonly buffer Sums { vec2 sums[]; };

void main() {
  const uint begin = gl_WorkGroupID.x * 16384, end = min(begin + 16384, p.count);
  vec2 sum = vec2(0);
  for (uint i = begin + gl_LocalInvocationID.x; i < end; i += 256) {
    const uint r = i / p.cols, c = i % p.cols;
    const uint bits = a[p.a.offset + r * p.a.stride + c];
    if (kKind == 0) {
      sum.x += (bits & 0x7f800000u) == 0x7f800000u ? 1.0 : 0.0;
      continue;
    }
    const float x = uintBitsToFloat(bits);
    const float y = kKind >= 2 ? b[p.b.offset + r * p.b.stride + c] : x;
    precise float left = kKind == 2 ? x - y : x;
    precise float term = left * (kKind == 2 ? left : y);
    const vec2 next = two_sum(sum.x, term);
    precise float rest = sum.y + next.y;
    sum = vec2(next.x, rest);
  }
  sum = workgroup_sum(sum);
  if (gl_LocalInvocationID.x == 0) sums[gl_WorkGroupID.x] = sum;
}
