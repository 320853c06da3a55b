// SPDX-License-Identifier: Apache-2.0
// A row of scores becomes exp(scale * score - greatest), and its sum is kept: a workgroup a row, heads are y.
#version 450
#include "backends/vulkan/shaders/attention_push.h"

layout(local_size_x = 64) in;
layout(push_constant, std430) uniform Push { AttentionPush p; };
layout(binding = 0, std430) buffer Scores { float scores[]; };
layout(binding = 1, std430) writeonly buffer Sums { float sums[]; };

shared float parts[64];

void main() {
  const uint local = gl_LocalInvocationID.x, row = gl_WorkGroupID.y * p.rows + gl_WorkGroupID.x;
  const uint begin = row * p.stride, seen = p.first_query + gl_WorkGroupID.x + 1;
  float greatest = uintBitsToFloat(0xff7fffffu);
  for (uint k = local; k < seen; k += 64) greatest = max(greatest, scores[begin + k] * p.scale);
  parts[local] = greatest;
  for (uint half_count = 32; half_count > 0; half_count /= 2) {
    barrier();
    if (local < half_count) parts[local] = max(parts[local], parts[local + half_count]);
  }
  barrier();
  greatest = parts[0];
  float sum = 0;
  for (uint k = local; k < seen; k += 64) {
    precise float logit = scores[begin + k] * p.scale;
    const float weight = exp(logit - greatest);
    scores[begin + k] = weight;
    sum += weight;
  }
  barrier();
  parts[local] = sum;
  for (uint half_count = 32; half_count > 0; half_count /= 2) {
    barrier();
    if (local < half_count) parts[local] += parts[local + half_count];
  }
  if (local == 0) sums[row] = parts[0];
}
