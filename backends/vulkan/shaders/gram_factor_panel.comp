// SPDX-License-Identifier: Apache-2.0
// The rows of tile fixed_tile left of the diagonal, from their places to panel[row][column], which
// gram_factor_invert.comp then overwrites. 64 columns by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/gram_factor_push.h"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { FactorPush p; };
layout(binding = 0, std430) readonly buffer FixedValues { float fixed_values[]; };
layout(binding = 1, std430) readonly buffer FixedRests { float fixed_rests[]; };
layout(binding = 2, std430) writeonly buffer Panel { vec2 panel[]; };

void main() {
  const uint row = gl_GlobalInvocationID.y, c = gl_GlobalInvocationID.x;
  if (c >= p.fixed_tile * 32) return;
  const bool there = p.fixed_tile * 32 + row < p.size;
  panel[row * p.size + c] =
      there ? vec2(fixed_values[VALUE(p.of_fixed, row, c)], fixed_rests[REST(p.of_fixed, row, c)]) : vec2(0);
}
