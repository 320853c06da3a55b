// SPDX-License-Identifier: Apache-2.0
// work -= errors factor^T for all steps after a block: a tiled product of depth kGptqBlock.
#version 450
#include "backends/vulkan/shaders/gptq_push.h"
#define A_ALONG_K 1
#define B_ALONG_K 1
#include "backends/vulkan/shaders/product.glsl"

layout(push_constant, std430) uniform Push { GptqPush p; };
layout(binding = 0, std430) buffer Work { float work[]; };
layout(binding = 1, std430) readonly buffer Factor { vec4 factor[]; };
layout(binding = 2, std430) readonly buffer Errors { vec4 errors[]; };

vec4 load_a(uint m, uint k) { return m < p.rows ? errors[(m * kGptqBlock + k) / 4] : vec4(0); }
vec4 load_b(uint n, uint k) { return n < p.cols ? factor[(n * kGptqBlock + k) / 4] : vec4(0); }

void main() {
  const uint m0 = gl_WorkGroupID.y * kBlockRows, n0 = p.begin + p.count + gl_WorkGroupID.x * kBlockCols;
  clear_total();
  multiply(m0, n0, 0, kGptqBlock);
  for (uint i = 0; i < 4 * kQuads; ++i) {
    const uint m = m0 + product_row(i);
    for (uint j = 0; j < 4; ++j) {
      const uint n = n0 + product_col() + j;
      if (m < p.rows && n < p.cols) work[m * p.cols + n] -= total[i][j];
    }
  }
}
