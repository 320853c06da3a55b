// SPDX-License-Identifier: Apache-2.0
// gram += a^T b, all of it or the upper triangle: a workgroup makes one tile, see product.glsl; columns of tiles are x,
// rows are y.
#version 450
#include "backends/vulkan/shaders/gram_push.h"
#define A_ALONG_K 0
#define B_ALONG_K 0
#include "backends/vulkan/shaders/product.glsl"

layout(constant_id = 3) const bool kUpper = false;
PUSH_CONSTANTS(GramPush)
layout(binding = 0, std430) readonly buffer A { float a[]; };
layout(binding = 0, std430) readonly buffer FourA { vec4 four_a[]; };
layout(binding = 1, std430) readonly buffer B { float b[]; };
layout(binding = 1, std430) readonly buffer FourB { vec4 four_b[]; };
layout(binding = 2, std430) buffer Gram { float gram[]; };

vec4 load_a(uint m, uint k) {
  const int left = k < k_end ? int(p.rows) - int(m) : 0;
  const uint at = p.a.offset + k * p.a.stride + m;
  return LOAD_FOUR(kVectorA, a, four_a, at, left);
}

vec4 load_b(uint n, uint k) {
  const int left = k < k_end ? int(p.cols) - int(n) : 0;
  const uint at = p.b.offset + k * p.b.stride + n;
  return LOAD_FOUR(kVectorB, b, four_b, at, left);
}

void main() {
  TAKE_PUSH_CONSTANTS
  const uint m0 = gl_WorkGroupID.y * kBlockRows, n0 = gl_WorkGroupID.x * kBlockCols;
  if (kUpper && n0 + kBlockCols <= p.first_row + m0) return;
  clear_total();
  multiply(m0, n0, 0, p.tokens);
  [[unroll]] for (uint i = 0; i < kTotals; ++i) {
    const uint m = m0 + product_row(i);
    [[unroll]] for (uint j = 0; j < 4; ++j) {
      const uint n = n0 + product_col(i) + j;
      if (m < p.rows && n < p.cols && (!kUpper || n >= p.first_row + m)) {
        gram[p.gram.offset + m * p.gram.stride + n] += total[i][j];
      }
    }
  }
}
