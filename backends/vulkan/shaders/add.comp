// SPDX-License-Identifier: Apache-2.0
// y += alpha * x, element by element: one invocation each, 64 columns by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/element_push.h"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { ElementPush p; };
layout(binding = 0, std430) readonly buffer X { float x[]; };
layout(binding = 1, std430) buffer Y { float y[]; };

void main() {
  const uint r = gl_GlobalInvocationID.y, c = gl_GlobalInvocationID.x;
  if (r >= p.rows || c >= p.cols) return;
  const uint at = p.y.offset + r * p.y.stride + c;
  precise float scaled = p.alpha * x[p.a.offset + r * p.a.stride + c];
  precise float sum = y[at] + scaled;
  y[at] = sum;
}
