// SPDX-License-Identifier: Apache-2.0
// y = x / sqrt(mean(x^2) + epsilon) * gamma: a workgroup a row. The mean is a double_float number.
#version 450
#include "backends/vulkan/shaders/row_push.h"
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/workgroup_sum.glsl"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Push { NormalizePush p; };
layout(binding = 0, std430) readonly buffer X { float x[]; };
layout(binding = 1, std430) readonly buffer Gamma { float gamma[]; };
layout(binding = 2, std430) writeonly buffer Y { float y[]; };

// 1 / sqrt(a): the built-in one, which may be off by 2 units in the last place, after a step of Newton's method.
float inverse_root(vec2 a) {
  const float root = inversesqrt(a.x);
  const vec2 product = df_mul(a, two_product(root, root));
  precise float rest = (1.0 - product.x) - product.y;
  precise float better = root + 0.5 * root * rest;
  return a.x > 0 && root < uintBitsToFloat(0x7f800000u) ? better : root;
}

void main() {
  const uint from = p.x.offset + gl_WorkGroupID.x * p.x.stride, to = p.y.offset + gl_WorkGroupID.x * p.y.stride;
  vec2 sum = vec2(0);
  for (uint c = gl_LocalInvocationID.x; c < p.cols; c += 256) {
    const float value = x[from + c];
    sum = df_add(sum, two_product(value, value));
  }
  const vec2 mean = df_mul(workgroup_sum(sum), vec2(p.inverse_cols, p.inverse_cols_rest));
  const float scale = inverse_root(df_add(mean, vec2(p.epsilon, 0)));
  for (uint c = gl_LocalInvocationID.x; c < p.cols; c += 256) y[to + c] = x[from + c] * scale * gamma[p.gamma + c];
}
