// SPDX-License-Identifier: Apache-2.0
// e G e^T of rows e = a - b, or a, in parts: a tile of e G as in product.glsl, times e, summed over the tile's columns.
// G is symmetric, so a column has twice the sum over the rows above its tile, and once that over the tile's own.
#version 450
#include "backends/vulkan/shaders/quadratic_push.h"
#define A_ALONG_K 1
#define B_ALONG_K 0
#include "backends/vulkan/shaders/product.glsl"

layout(constant_id = 3) const bool kDifference = false;
PUSH_CONSTANTS(QuadraticPush)
layout(binding = 0, std430) readonly buffer A { float a[]; };
layout(binding = 0, std430) readonly buffer FourA { vec4 four_a[]; };
layout(binding = 1, std430) readonly buffer B { float b[]; };
layout(binding = 1, std430) readonly buffer FourB { vec4 four_b[]; };
layout(binding = 2, std430) readonly buffer Gram { float gram[]; };
layout(binding = 2, std430) readonly buffer FourGram { vec4 four_gram[]; };
layout(binding = 3, std430) writeonly buffer Parts { float parts[]; };

vec4 load_error(uint m, uint k, int left) {
  const uint at_a = p.a.offset + m * p.a.stride + k, at_b = p.b.offset + m * p.b.stride + k;
  const vec4 first = LOAD_FOUR(kVectorA, a, four_a, at_a, left);
  if (!kDifference) return first;
  return first - LOAD_FOUR(kVectorA, b, four_b, at_b, left);
}

vec4 load_a(uint m, uint k) { return load_error(m, k, m < p.rows ? int(k_end) - int(k) : 0); }

vec4 load_b(uint n, uint k) {
  const int left = k < k_end ? int(p.cols) - int(n) : 0;
  const uint at = p.gram.offset + k * p.gram.stride + n;
  return LOAD_FOUR(kVectorB, gram, four_gram, at, left);
}

void main() {
  TAKE_PUSH_CONSTANTS
  const uint m0 = gl_WorkGroupID.y * kBlockRows, n0 = gl_WorkGroupID.x * kBlockCols;
  clear_total();
  [[dont_unroll]] for (uint turn = 0; turn < 2; ++turn) {  // so that compilers see one product
    [[unroll]] for (uint i = 0; i < kTotals; ++i) total[i] *= 2.0;
    const uint begin = turn == 0 ? 0 : n0;
    multiply(m0, n0, begin, min(begin + (turn == 0 ? n0 : kBlockCols), p.depth));
  }
  barrier();
  [[unroll]] for (uint i = 0; i < kTotals; ++i) {
    const uint row = product_row(i), m = m0 + row, n = n0 + product_col(i);
    row_parts[row * 16 + product_col(i) / 4] =
        dot(total[i], load_error(m, n, m < p.rows ? int(p.cols) - int(n) : 0));
  }
  barrier();
  const uint row = gl_LocalInvocationID.x;
  if (row >= kBlockRows || m0 + row >= p.rows) return;
  float sum = 0;
  for (uint i = 0; i < 16; ++i) sum += row_parts[row * 16 + i];
  parts[(p.first_slot + gl_WorkGroupID.x) * p.rows + m0 + row] = sum;
}
