// SPDX-License-Identifier: Apache-2.0
// The trace of the Gram matrix, some rows after the others, and at the last of them what damping adds to the diagonal.
// One workgroup.
#version 450
#include "backends/vulkan/shaders/gram_factor_push.h"
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/workgroup_sum.glsl"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Push { FactorTracePush p; };
layout(binding = 0, std430) readonly buffer From { float from[]; };
layout(binding = 1, std430) buffer State { vec2 state[]; };

void main() {
  vec2 sum = vec2(0);
  for (uint i = gl_LocalInvocationID.x; i < p.rows; i += 256) {
    sum = df_add(sum, vec2(from[p.from.offset + i * p.from.stride + p.first + i], 0));
  }
  sum = workgroup_sum(sum);
  if (gl_LocalInvocationID.x != 0) return;
  if (p.first == 0) {
    state[0] = vec2(0);
  } else {
    sum = df_add(sum, state[1]);
  }
  state[1] = p.first + p.rows == p.size ? df_mul(sum, vec2(p.factor, p.factor_rest)) : sum;
}
