// SPDX-License-Identifier: Apache-2.0
// codes = w rounded to nearest under given scales and zeros: one invocation makes one word of a row, up to four codes.
// 64 words by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/codes_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/quantize_math.glsl"
#include "backends/vulkan/shaders/words.glsl"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { CodesPush p; };
layout(binding = 0, std430) readonly buffer W { float w[]; };
layout(binding = 1, std430) readonly buffer Scales { float scales[]; };
layout(binding = 2, std430) readonly buffer Zeros { float zeros[]; };
layout(binding = 3, std430) buffer Codes { uint codes[]; };

void main() {
  const uint r = gl_GlobalInvocationID.y;
  if (r >= p.rows) return;
  const uint begin = p.codes.offset + r * p.codes.stride;
  const uint word = begin / 4 + gl_GlobalInvocationID.x;
  uint bits = 0, mask = 0;
  for (uint i = 0; i < 4; ++i) {
    const uint c = word * 4 + i - begin;  // wraps round before the row
    if (c >= p.cols) continue;
    const uint g = c / p.group;
    const vec2 params = vec2(scales[p.scales.offset + r * p.scales.stride + g],
                             zeros[p.zeros.offset + r * p.zeros.stride + g]);
    bits |= uint(quantize_value(w[p.w.offset + r * p.w.stride + c], params)) << (8 * i);
    mask |= 0xffu << (8 * i);
  }
  if (mask == 0) return;
  STORE_MASKED(codes, word, bits, mask)
}
