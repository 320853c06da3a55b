// SPDX-License-Identifier: Apache-2.0
// codes[r, c] = work[r, step_of[c]], which holds codes by then. One invocation makes one word of a row, up to four
// codes. 64 words by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/gptq_push.h"
#include "backends/vulkan/shaders/words.glsl"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { GptqPush p; };
layout(binding = 0, std430) readonly buffer Work { float work[]; };
layout(binding = 1, std430) readonly buffer StepOf { uint step_of[]; };
layout(binding = 2, std430) buffer Codes { uint codes[]; };

void main() {
  const uint r = gl_GlobalInvocationID.y;
  if (r >= p.rows) return;
  const uint begin = p.codes.offset + r * p.codes.stride;
  const uint word = begin / 4 + gl_GlobalInvocationID.x;
  uint bits = 0, mask = 0;
  for (uint i = 0; i < 4; ++i) {
    const uint c = word * 4 + i - begin;  // wraps round before the row
    if (c >= p.cols) continue;
    bits |= uint(work[r * p.cols + step_of[c]]) << (8 * i);
    mask |= 0xffu << (8 * i);
  }
  if (mask == 0) return;
  STORE_MASKED(codes, word, bits, mask)
}
