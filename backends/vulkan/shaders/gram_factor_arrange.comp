// SPDX-License-Identifier: Apache-2.0
// The lower triangle of `to` becomes the Gram matrix reversed in the order of the steps, of whose upper triangle `from`
// has some rows: to(a, b) = gram(order[size - 1 - a], order[size - 1 - b]). 64 columns by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/gram_factor_push.h"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { FactorMovePush p; };
layout(binding = 0, std430) readonly buffer From { float from[]; };
layout(binding = 1, std430) readonly buffer Order { uint order[]; };
layout(binding = 2, std430) writeonly buffer To { float to[]; };

void main() {
  const uint a = p.first + gl_GlobalInvocationID.y, b = gl_GlobalInvocationID.x;
  if (gl_GlobalInvocationID.y >= p.rows || b > a) return;
  const uint channel_a = order[p.size - 1 - a], channel_b = order[p.size - 1 - b];
  const uint row = min(channel_a, channel_b) - p.other_first;  // wraps round before the window
  if (row >= p.other_rows) return;
  to[p.to.offset + gl_GlobalInvocationID.y * p.to.stride + b] =
      from[p.from.offset + row * p.from.stride + max(channel_a, channel_b)];
}
