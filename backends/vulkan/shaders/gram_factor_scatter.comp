// SPDX-License-Identifier: Apache-2.0
// by_channel from the transposed inverse X in the upper triangle of by_step: row order[size - 1 - b] is row b of X,
// read backwards, zero where X is. 64 columns by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/gram_factor_push.h"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { FactorMovePush p; };
layout(binding = 0, std430) readonly buffer From { float from[]; };
layout(binding = 1, std430) readonly buffer Order { uint order[]; };
layout(binding = 2, std430) writeonly buffer To { float to[]; };

void main() {
  const uint b = p.first + gl_GlobalInvocationID.y, a = gl_GlobalInvocationID.x;
  if (gl_GlobalInvocationID.y >= p.rows || a >= p.size) return;
  const uint row = order[p.size - 1 - b] - p.other_first;  // wraps round before the window
  if (row >= p.other_rows) return;
  to[p.to.offset + row * p.to.stride + p.size - 1 - a] =
      a >= b ? from[p.from.offset + gl_GlobalInvocationID.y * p.from.stride + a] : 0.0;
}
