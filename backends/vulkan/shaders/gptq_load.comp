// SPDX-License-Identifier: Apache-2.0
// work[r, t] = w[r, order[t]]. One invocation an element, 64 columns by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/gptq_push.h"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { GptqPush p; };
layout(binding = 0, std430) readonly buffer W { float w[]; };
layout(binding = 1, std430) readonly buffer Order { uint order[]; };
layout(binding = 2, std430) writeonly buffer Work { float work[]; };

void main() {
  const uint r = gl_GlobalInvocationID.y, t = gl_GlobalInvocationID.x;
  if (r >= p.rows || t >= p.cols) return;
  work[r * p.cols + t] = w[p.outer.offset + r * p.outer.stride + order[t]];
}
