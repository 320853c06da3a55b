// SPDX-License-Identifier: Apache-2.0
// work -= errors factor^T for steps after a block, as many as a window of the factor has rows: a tiled product of depth
// kGptqBlock.
#version 450
#include "backends/vulkan/shaders/gptq_push.h"
#define A_ALONG_K 1
#define B_ALONG_K 1
#include "backends/vulkan/shaders/product.glsl"

PUSH_CONSTANTS(GptqPush)
layout(binding = 0, std430) buffer Work { float work[]; };
layout(binding = 1, std430) readonly buffer Factor { float factor[]; };
layout(binding = 1, std430) readonly buffer FourFactor { vec4 four_factor[]; };
layout(binding = 2, std430) readonly buffer Errors { vec4 errors[]; };

vec4 load_a(uint m, uint k) { return m < p.rows ? errors[(m * kGptqBlock + k) / 4] : vec4(0); }
vec4 load_b(uint n, uint k) {
  const uint at = p.factor.offset + n * p.factor.stride + k;
  return LOAD_FOUR(kVectorB, factor, four_factor, at, n < p.later ? 4 : 0);
}

void main() {
  TAKE_PUSH_CONSTANTS
  const uint m0 = gl_WorkGroupID.y * kBlockRows, n0 = gl_WorkGroupID.x * kBlockCols;
  clear_total();
  multiply(m0, n0, 0, kGptqBlock);
  for (uint i = 0; i < kTotals; ++i) {
    const uint m = m0 + product_row(i);
    for (uint j = 0; j < 4; ++j) {
      const uint n = n0 + product_col(i) + j;
      if (m < p.rows && n < p.later) work[m * p.cols + p.first + n] -= total[i][j];
    }
  }
}
