// SPDX-License-Identifier: Apache-2.0
// to(r, c) = from(c, r), everywhere or below the diagonal: a tile of 32 by 32 a workgroup.
#version 450
#include "backends/vulkan/shaders/transpose_push.h"

layout(local_size_x = 32, local_size_y = 8) in;
layout(constant_id = 0) const bool kLower = false;
layout(push_constant, std430) uniform Push { TransposePush p; };
layout(binding = 0, std430) readonly buffer From { float from[]; };
layout(binding = 1, std430) writeonly buffer To { float to[]; };

shared float tile[32 * 33];

void main() {
  const uint r0 = gl_WorkGroupID.y * 32, c0 = gl_WorkGroupID.x * 32, x = gl_LocalInvocationID.x;
  if (kLower && p.first_col + c0 >= p.first_row + r0 + 31) return;
  for (uint y = gl_LocalInvocationID.y; y < 32; y += 8) {
    if (c0 + y < p.cols && r0 + x < p.rows) tile[y * 33 + x] = from[p.from.offset + (c0 + y) * p.from.stride + r0 + x];
  }
  barrier();
  for (uint y = gl_LocalInvocationID.y; y < 32; y += 8) {
    const uint r = r0 + y, c = c0 + x;
    if (r < p.rows && c < p.cols && (!kLower || p.first_col + c < p.first_row + r)) {
      to[p.to.offset + r * p.to.stride + c] = tile[x * 33 + y];
    }
  }
}
