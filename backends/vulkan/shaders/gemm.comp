// SPDX-License-Identifier: Apache-2.0
// y = x w^T + bias + beta * y: a workgroup makes one tile, see product.glsl; columns of tiles are x, rows are y.
#version 450
#include "backends/vulkan/shaders/gemm_push.h"
#define A_ALONG_K 1
#define B_ALONG_K 1
#include "backends/vulkan/shaders/product.glsl"

layout(constant_id = 3) const bool kBias = false;
layout(constant_id = 4) const bool kAdd = false;  // to what y holds
PUSH_CONSTANTS(GemmPush)
layout(binding = 0, std430) readonly buffer X { float x[]; };
layout(binding = 0, std430) readonly buffer FourX { vec4 four_x[]; };
layout(binding = 1, std430) readonly buffer W { float w[]; };
layout(binding = 1, std430) readonly buffer FourW { vec4 four_w[]; };
layout(binding = 2, std430) buffer Y { float y[]; };
layout(binding = 3, std430) readonly buffer Bias { float bias[]; };

vec4 load_a(uint m, uint k) {
  const int left = m < p.rows ? int(k_end) - int(k) : 0;
  const uint at = p.x.offset + m * p.x.stride + k;
  return LOAD_FOUR(kVectorA, x, four_x, at, left);
}

vec4 load_b(uint n, uint k) {
  const int left = n < p.cols ? int(k_end) - int(k) : 0;
  const uint at = p.w.offset + n * p.w.stride + k;
  return LOAD_FOUR(kVectorB, w, four_w, at, left);
}

void main() {
  TAKE_PUSH_CONSTANTS
  const uint m0 = gl_WorkGroupID.y * kBlockRows, n0 = gl_WorkGroupID.x * kBlockCols;
  clear_total();
  multiply(m0, n0, 0, p.depth);
  [[unroll]] for (uint i = 0; i < kTotals; ++i) {
    const uint m = m0 + product_row(i);
    [[unroll]] for (uint j = 0; j < 4; ++j) {
      const uint n = n0 + product_col(i) + j;
      if (m >= p.rows || n >= p.cols) continue;
      const uint at = p.y.offset + m * p.y.stride + n;
      float value = total[i][j];
      if (kBias) value += bias[p.bias + n];
      if (kAdd) value += y[at];
      y[at] = value;
    }
  }
}
