// SPDX-License-Identifier: Apache-2.0
// factor[step_of[c], j] = by_channel[c, begin + j] for the channels c of a window and the steps of a block. By
// channel, so that a matrix of any size is read window by window. 32 steps by 8 channels a workgroup.
#version 450
#include "backends/vulkan/shaders/gptq_push.h"

layout(local_size_x = 32, local_size_y = 8) in;
layout(push_constant, std430) uniform Push { GptqPush p; };
layout(binding = 0, std430) readonly buffer ByChannel { float by_channel[]; };
layout(binding = 1, std430) readonly buffer StepOf { uint step_of[]; };
layout(binding = 2, std430) writeonly buffer Factor { float factor[]; };

void main() {
  const uint row = gl_GlobalInvocationID.y, j = gl_GlobalInvocationID.x;
  if (row >= p.rows) return;
  const uint t = step_of[p.first + row];
  if (t < p.begin) return;
  factor[t * kGptqBlock + j] = j < p.count ? by_channel[p.outer.offset + row * p.outer.stride + p.begin + j] : 0.0;
}
