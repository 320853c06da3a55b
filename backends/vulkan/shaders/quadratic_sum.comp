// SPDX-License-Identifier: Apache-2.0
// Sums of the parts that quadratic_form.comp left, as double_float numbers: one for each row, or for the rows of a
// workgroup together, each times its weight.
#version 450
#include "backends/vulkan/shaders/quadratic_push.h"
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/workgroup_sum.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const bool kTogether = false;
layout(constant_id = 1) const bool kWeighted = false;
layout(push_constant, std430) uniform Push { QuadraticSumPush p; };
layout(binding = 0, std430) readonly buffer Parts { float slots[]; };
layout(binding = 1, std430) readonly buffer Weights { float weights[]; };
layout(binding = 2, std430) writeonly buffer Sums { vec2 sums[]; };

void main() {
  const uint row = gl_GlobalInvocationID.x;
  vec2 sum = vec2(0);
  if (row < p.rows) {
    for (uint slot = 0; slot < p.slots; ++slot) sum = df_add(sum, vec2(slots[slot * p.rows + row], 0));
    if (kWeighted) sum = df_mul(sum, vec2(weights[p.weights + row], 0));
  }
  if (!kTogether) {
    if (row < p.rows) sums[p.first_sum + row] = sum;
    return;
  }
  sum = workgroup_sum(sum);
  if (gl_LocalInvocationID.x == 0) sums[p.first_sum + gl_WorkGroupID.x] = sum;
}
