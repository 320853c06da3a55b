// SPDX-License-Identifier: Apache-2.0
// The values of the diagonal tiles of the inverse, from the scratch to their places: a workgroup a tile.
#version 450
#include "backends/vulkan/shaders/gram_factor_push.h"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Push { FactorPush p; };
layout(binding = 0, std430) writeonly buffer Values { float values[]; };
layout(binding = 1, std430) readonly buffer State { vec2 state[]; };

void main() {
  const uint tile = p.first_tile + gl_WorkGroupID.x;
  for (uint at = gl_LocalInvocationID.x; at < 1024; at += 256) {
    const uint i = at / 32, c = at % 32, row = tile * 32 + i;
    if (c > i || row >= p.size) continue;
    values[VALUE(p.window, row - p.first_row, tile * 32 + c)] = state[FACTOR_INVERSES + tile * 1024 + at].x;
  }
}
