// SPDX-License-Identifier: Apache-2.0
// w = (codes - zeros) * scales. One invocation an element, 64 columns by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/codes_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/words.glsl"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { CodesPush p; };
layout(binding = 0, std430) readonly buffer Codes { uint codes[]; };
layout(binding = 1, std430) readonly buffer Scales { float scales[]; };
layout(binding = 2, std430) readonly buffer Zeros { float zeros[]; };
layout(binding = 3, std430) writeonly buffer W { uint w[]; };

void main() {
  const uint r = gl_GlobalInvocationID.y, c = gl_GlobalInvocationID.x;
  if (r >= p.rows || c >= p.cols) return;
  const uint g = c / p.group;
  const float code = float(LOAD_ELEMENT(codes, 1, p.codes.offset + r * p.codes.stride + c));
  precise float level = code - zeros[p.zeros.offset + r * p.zeros.stride + g];
  w[p.w.offset + r * p.w.stride + c] =
      exact_product(floatBitsToUint(level), floatBitsToUint(scales[p.scales.offset + r * p.scales.stride + g]));
}
