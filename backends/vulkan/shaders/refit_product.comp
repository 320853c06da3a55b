// SPDX-License-Identifier: Apache-2.0
// For 64 rows and 64 channels of a group: c . (E G) and c . (c G), with the errors E of the whole row and the levels
// c = codes - zero of the group. Two tiled products whose left sides are made while they are read and whose results
// go no further than the dot products, in double_float, with the levels.
#version 450
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/refit_push.h"
#include "backends/vulkan/shaders/words.glsl"
#define A_ALONG_K 1
#define B_ALONG_K 1
#include "backends/vulkan/shaders/product.glsl"

PUSH_CONSTANTS(RefitPush)
layout(binding = 0, std430) readonly buffer W { float w[]; };
layout(binding = 1, std430) readonly buffer Codes { uint codes[]; };
layout(binding = 2, std430) readonly buffer Scales { float scales[]; };
layout(binding = 3, std430) readonly buffer Zeros { float zeros[]; };
layout(binding = 4, std430) readonly buffer Gram { float gram[]; };
layout(binding = 4, std430) readonly buffer FourGram { vec4 four_gram[]; };
layout(binding = 5, std430) writeonly buffer Sums { vec4 sums[]; };

bool levels_only;  // of the group, and G from its first column on
uint begin, width;

float level(uint m, uint c) {
  const float code = float(LOAD_ELEMENT(codes, 1, p.codes.offset + m * p.codes.stride + c));
  return code - zeros[p.zeros.offset + m * p.zeros.stride + c / p.group];
}

vec4 load_a(uint m, uint k) {
  vec4 values = vec4(0);
  if (m >= p.rows) return values;
  for (uint i = 0; i < 4 && k + i < k_end; ++i) {
    const uint c = levels_only ? begin + k + i : k + i;
    values[i] = level(m, c);
    if (levels_only) continue;
    const float scale = scales[p.scales.offset + m * p.scales.stride + c / p.group];
    values[i] = values[i] * scale - w[p.w.offset + m * p.w.stride + c];
  }
  return values;
}

vec4 load_b(uint n, uint k) {
  const int left = n < p.count ? int(k_end) - int(k) : 0;
  const uint at = p.gram.offset + n * p.gram.stride + (levels_only ? begin : 0) + k;
  return LOAD_FOUR(kVectorB, gram, four_gram, at, left);
}

// The dot products of the rows of `total` with the levels: row m's is the return value of invocation m.
vec2 dot_levels(uint m0, uint n0) {
  const uint local = gl_LocalInvocationID.x;
  barrier();
  for (uint i = 0; i < kTotals; ++i) {
    const uint m = m0 + product_row(i);
    vec2 sum = vec2(0);
    for (uint j = 0; j < 4; ++j) {
      const uint n = n0 + product_col(i) + j;
      if (m < p.rows && n < p.count) sum = df_add(sum, two_product(level(m, begin + p.first + n), total[i][j]));
    }
    row_parts[product_row(i) * 16 + product_col(i) / 4] = sum.x;
    more_parts[product_row(i) * 16 + product_col(i) / 4] = sum.y;
  }
  barrier();
  vec2 sum = vec2(0);
  if (local < 64) {
    for (uint i = 0; i < 16; ++i) sum = df_add(sum, vec2(row_parts[local * 16 + i], more_parts[local * 16 + i]));
  }
  return sum;
}

void main() {
  TAKE_PUSH_CONSTANTS
  const uint m0 = gl_WorkGroupID.y * 64, n0 = gl_WorkGroupID.x * 64;
  begin = p.index * p.group;
  width = min(p.group, p.cols - begin);
  vec2 slope = vec2(0), curvature = vec2(0);
  [[dont_unroll]] for (uint turn = 0; turn < 2; ++turn) {  // so that compilers see one product
    slope = curvature;
    clear_total();
    levels_only = turn == 1;
    multiply(m0, n0, 0, levels_only ? width : p.cols);
    curvature = dot_levels(m0, n0);
  }
  const uint m = m0 + gl_LocalInvocationID.x;
  if (gl_LocalInvocationID.x >= 64 || m >= p.rows) return;
  sums[(p.first / 64 + gl_WorkGroupID.x) * p.rows + m] = vec4(slope, curvature);
}
