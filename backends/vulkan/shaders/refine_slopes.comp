// SPDX-License-Identifier: Apache-2.0
// slopes = E G for the columns of a window of G, which is symmetric, so that its rows are read: a tiled product whose
// left side, the errors of the codes, is made while it is read.
#version 450
#include "backends/vulkan/shaders/refine_push.h"
#include "backends/vulkan/shaders/words.glsl"
#define A_ALONG_K 1
#define B_ALONG_K 1
#include "backends/vulkan/shaders/product.glsl"

PUSH_CONSTANTS(RefinePush)
layout(binding = 0, std430) readonly buffer W { float w[]; };
layout(binding = 1, std430) readonly buffer Codes { uint codes[]; };
layout(binding = 2, std430) readonly buffer Scales { float scales[]; };
layout(binding = 3, std430) readonly buffer Zeros { float zeros[]; };
layout(binding = 4, std430) readonly buffer Gram { float gram[]; };
layout(binding = 4, std430) readonly buffer FourGram { vec4 four_gram[]; };
layout(binding = 5, std430) writeonly buffer Slopes { float slopes[]; };

vec4 load_a(uint m, uint k) {
  vec4 errors = vec4(0);
  if (m >= p.rows) return errors;
  for (uint i = 0; i < 4 && k + i < k_end; ++i) {
    const uint c = k + i, g = c / p.group;
    const float code = float(LOAD_ELEMENT(codes, 1, p.codes.offset + m * p.codes.stride + c));
    const float level = code - zeros[p.zeros.offset + m * p.zeros.stride + g];
    errors[i] = level * scales[p.scales.offset + m * p.scales.stride + g] - w[p.w.offset + m * p.w.stride + c];
  }
  return errors;
}

vec4 load_b(uint n, uint k) {
  const int left = n < p.count ? int(k_end) - int(k) : 0;
  const uint at = p.gram.offset + n * p.gram.stride + k;
  return LOAD_FOUR(kVectorB, gram, four_gram, at, left);
}

void main() {
  TAKE_PUSH_CONSTANTS
  const uint m0 = gl_WorkGroupID.y * kBlockRows, n0 = gl_WorkGroupID.x * kBlockCols;
  clear_total();
  multiply(m0, n0, 0, p.cols);
  for (uint i = 0; i < kTotals; ++i) {
    const uint m = m0 + product_row(i);
    for (uint j = 0; j < 4; ++j) {
      const uint n = n0 + product_col(i) + j;
      if (m < p.rows && n < p.count) slopes[m * p.cols + p.first + n] = total[i][j];
    }
  }
}
