// SPDX-License-Identifier: Apache-2.0
// The first trial of each group with the least loss: its parameters and its loss. One invocation a group.
#version 450
#include "backends/vulkan/shaders/clip_push.h"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { ClipChoosePush p; };
layout(binding = 0, std430) readonly buffer TrialScales { float trial_scales[]; };
layout(binding = 1, std430) readonly buffer TrialZeros { float trial_zeros[]; };
layout(binding = 2, std430) readonly buffer Loss { float loss[]; };
layout(binding = 3, std430) writeonly buffer Scales { float scales[]; };
layout(binding = 4, std430) writeonly buffer Zeros { float zeros[]; };
layout(binding = 5, std430) writeonly buffer Error { float error[]; };

void main() {
  const uint r = gl_GlobalInvocationID.y, g = gl_GlobalInvocationID.x;
  if (r >= p.rows || g >= p.groups) return;
  const uint first = (r * p.groups + g) * p.candidates;
  uint best = first;
  for (uint trial = first + 1; trial < first + p.candidates; ++trial) {
    if (loss[trial] < loss[best]) best = trial;
  }
  scales[p.scales.offset + r * p.scales.stride + g] = trial_scales[best];
  zeros[p.zeros.offset + r * p.zeros.stride + g] = trial_zeros[best];
  error[p.error.offset + r * p.error.stride + g] = loss[best];
}
