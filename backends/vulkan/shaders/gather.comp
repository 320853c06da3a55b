// SPDX-License-Identifier: Apache-2.0
// to = from with rows or columns in another order, or as they are. 64 columns by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/gather_push.h"

layout(local_size_x = 64, local_size_y = 4) in;
layout(constant_id = 0) const bool kRows = false;
layout(constant_id = 1) const bool kCols = false;
layout(push_constant, std430) uniform Push { GatherPush p; };
layout(binding = 0, std430) readonly buffer From { float from[]; };
layout(binding = 1, std430) readonly buffer Order { uint order[]; };
layout(binding = 2, std430) writeonly buffer To { float to[]; };

void main() {
  const uint r = gl_GlobalInvocationID.y, c = gl_GlobalInvocationID.x;
  if (r >= p.rows || c >= p.cols) return;
  const uint from_r = kRows ? order[p.first + r] : r, from_c = kCols ? order[c] : c;
  to[p.to.offset + r * p.to.stride + c] = from[p.from.offset + from_r * p.from.stride + from_c];
}
