// SPDX-License-Identifier: Apache-2.0
// y = x * s along an axis, each product as IEEE rounds it. One invocation an element, 64 columns by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"

layout(local_size_x = 64, local_size_y = 4) in;
layout(constant_id = 0) const bool kRows = false;  // s[row], not s[column]
layout(push_constant, std430) uniform Push { ElementPush p; };
layout(binding = 0, std430) readonly buffer X { uint x[]; };
layout(binding = 1, std430) readonly buffer S { uint s[]; };
layout(binding = 2, std430) writeonly buffer Y { uint y[]; };

void main() {
  const uint r = gl_GlobalInvocationID.y, c = gl_GlobalInvocationID.x;
  if (r >= p.rows || c >= p.cols) return;
  y[p.y.offset + r * p.y.stride + c] =
      exact_product(x[p.a.offset + r * p.a.stride + c], s[p.b.offset + (kRows ? r : c)]);
}
