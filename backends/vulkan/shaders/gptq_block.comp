// SPDX-License-Identifier: Apache-2.0
// The steps of one block, one after another: a row is rounded by one invocation, with its weights in shared memory. The
// codes go to `work`, where the weights were. 64 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/gptq_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/quantize_math.glsl"

layout(local_size_x = 64) in;
layout(push_constant, std430) uniform Push { GptqPush p; };
layout(binding = 0, std430) buffer Work { float work[]; };
layout(binding = 1, std430) readonly buffer Scales { float scales[]; };
layout(binding = 2, std430) readonly buffer Zeros { float zeros[]; };
layout(binding = 3, std430) readonly buffer Factor { float factor[]; };
layout(binding = 4, std430) readonly buffer Order { uint order[]; };
layout(binding = 5, std430) writeonly buffer Errors { float errors[]; };

shared float weights[kGptqBlock * 64];            // [step][row]
shared float spread[kGptqBlock * kGptqBlock];     // [later step][step]

void main() {
  const uint local = gl_LocalInvocationID.x, first = gl_WorkGroupID.x * 64;
  for (uint i = local; i < p.count * kGptqBlock; i += 64) {
    const uint t = i / kGptqBlock, j = i % kGptqBlock;
    if (j <= t) spread[i] = factor[p.factor.offset + t * p.factor.stride + j];
  }
  for (uint i = local; i < 64 * kGptqBlock; i += 64) {
    const uint row = i / kGptqBlock, t = i % kGptqBlock;
    if (first + row < p.rows && t < p.count) weights[t * 64 + row] = work[(first + row) * p.cols + p.begin + t];
  }
  barrier();
  const uint r = first + local;
  const bool real = r < p.rows;
  for (uint j = 0; j < p.count && real; ++j) {
    const uint g = order[p.begin + j] / p.group;
    const vec2 params = vec2(scales[p.scales.offset + r * p.scales.stride + g],
                             zeros[p.zeros.offset + r * p.zeros.stride + g]);
    const float weight = weights[j * 64 + local];
    const float code = quantize_value(weight, params);
    const float error = (weight - dequantize_value(code, params)) / spread[j * kGptqBlock + j];
    errors[r * kGptqBlock + j] = error;
    weights[j * 64 + local] = code;
    for (uint t = j + 1; t < p.count; ++t) weights[t * 64 + local] -= error * spread[t * kGptqBlock + j];
  }
  for (uint j = p.count; j < kGptqBlock && real; ++j) errors[r * kGptqBlock + j] = 0;
  barrier();
  for (uint i = local; i < 64 * kGptqBlock; i += 64) {
    const uint row = i / kGptqBlock, t = i % kGptqBlock;
    if (first + row < p.rows && t < p.count) work[(first + row) * p.cols + p.begin + t] = weights[t * 64 + row];
  }
}
