// SPDX-License-Identifier: Apache-2.0
// y = x U^T or, with kUpper, y = x U, all in steps: one tile a workgroup, see product.glsl. Both read rows of the
// factor, which has U in its upper and U^T in its lower triangle: from the diagonal on, or up to it.
#version 450
#include "backends/vulkan/shaders/gram_solve_push.h"
#define A_ALONG_K 1
#define B_ALONG_K 1
#include "backends/vulkan/shaders/product.glsl"

layout(constant_id = 3) const bool kUpper = false;
PUSH_CONSTANTS(GramSolvePush)
layout(binding = 0, std430) readonly buffer X { float x[]; };
layout(binding = 0, std430) readonly buffer FourX { vec4 four_x[]; };
layout(binding = 1, std430) readonly buffer Factor { float factor[]; };
layout(binding = 1, std430) readonly buffer FourFactor { vec4 four_factor[]; };
layout(binding = 2, std430) writeonly buffer Y { float y[]; };

vec4 load_a(uint m, uint k) {
  const int left = m < p.rows ? int(k_end) - int(k) : 0;
  const uint at = p.x.offset + m * p.x.stride + k;
  return LOAD_FOUR(kVectorA, x, four_x, at, left);
}

vec4 load_b(uint n, uint k) {
  const int left = n < p.steps ? int(k_end) - int(k) : 0;
  const uint at = p.factor.offset + n * p.factor.stride + k, step = p.first + n;
  vec4 four = LOAD_FOUR(kVectorB, factor, four_factor, at, left);
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    if (kUpper ? k + i > step : k + i < step) four[i] = 0.0;
  }
  return four;
}

void main() {
  TAKE_PUSH_CONSTANTS
  const uint m0 = gl_WorkGroupID.y * kBlockRows, n0 = gl_WorkGroupID.x * kBlockCols, step = p.first + n0;
  clear_total();
  multiply(m0, n0, kUpper ? 0 : step, kUpper ? min(step + kBlockCols, p.size) : p.size);
  [[unroll]] for (uint i = 0; i < kTotals; ++i) {
    const uint m = m0 + product_row(i);
    [[unroll]] for (uint j = 0; j < 4; ++j) {
      const uint n = n0 + product_col(i) + j;
      if (m < p.rows && n < p.steps) y[p.y.offset + m * p.y.stride + n] = total[i][j];
    }
  }
}
