// SPDX-License-Identifier: Apache-2.0
// The diagonal tiles of the transposed inverse, from the scratch to their places: a workgroup a tile.
#version 450
#include "backends/vulkan/shaders/gram_factor_push.h"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Push { FactorTilePush p; };
layout(binding = 0, std430) writeonly buffer Step { float by_step[]; };
layout(binding = 1, std430) writeonly buffer Channel { float by_channel[]; };
layout(binding = 2, std430) readonly buffer State { vec2 state[]; };

void main() {
  const uint tile = p.first_tile + gl_WorkGroupID.x;
  for (uint at = gl_LocalInvocationID.x; at < 1024; at += 256) {
    const uint i = at / 32, c = at % 32, row = tile * 32 + i, col = tile * 32 + c;
    if (row >= p.size || col >= p.size) continue;
    const vec2 value = state[FACTOR_INVERSES + tile * 1024 + c * 32 + i];
    by_step[p.step.offset + (row - p.first_row) * p.step.stride + col] = value.x;
    by_channel[p.channel.offset + (row - p.first_row) * p.channel.stride + col] = value.y;
  }
}
