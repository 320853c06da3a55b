// SPDX-License-Identifier: Apache-2.0
// out = weights v / sum over the keys of a window, added to what those before gave: tiles as in product.glsl, heads are
// z.
#version 450
#include "backends/vulkan/shaders/attention_push.h"
#define A_ALONG_K 1
#define B_ALONG_K 0
#include "backends/vulkan/shaders/product.glsl"

PUSH_CONSTANTS(AttentionPush)
layout(binding = 0, std430) readonly buffer Weights { float weights[]; };
layout(binding = 0, std430) readonly buffer FourWeights { vec4 four_weights[]; };
layout(binding = 1, std430) readonly buffer V { float values[]; };
layout(binding = 1, std430) readonly buffer FourV { vec4 four_values[]; };
layout(binding = 2, std430) readonly buffer Sums { float sums[]; };
layout(binding = 3, std430) buffer Out { float result[]; };

// Nothing after the query, where the scores were never written.
vec4 load_a(uint m, uint k) {
  const int left = m < p.rows ? min(int(k_end), int(p.first_query + m + 1) - int(p.first_key)) - int(k) : 0;
  const uint at = (gl_WorkGroupID.z * p.rows + m) * p.stride + p.first_key + k;
  vec4 four = LOAD_FOUR(kVectorA, weights, four_weights, at, left);
  if (kVectorA) {  // of which the last are not all there
    [[unroll]] for (int i = 1; i < 4; ++i) four[i] = i < left ? four[i] : 0.0;
  }
  return four;
}

vec4 load_b(uint n, uint k) {
  const int left = k < k_end ? int(p.width) - int(n) : 0;
  const uint at = p.kv.offset + k * p.kv.stride + (p.first_head + gl_WorkGroupID.z) / p.shared_by * p.width + n;
  return LOAD_FOUR(kVectorB, values, four_values, at, left);
}

void main() {
  TAKE_PUSH_CONSTANTS
  const uint m0 = gl_WorkGroupID.y * kBlockRows, n0 = gl_WorkGroupID.x * kBlockCols;
  const uint seen = p.first_query + min(m0 + kBlockRows, p.rows);  // by the tile's last query
  if (p.first_key >= seen) return;
  clear_total();
  multiply(m0, n0, 0, min(p.keys, seen - p.first_key));
  [[unroll]] for (uint i = 0; i < kTotals; ++i) {
    const uint m = m0 + product_row(i);
    [[unroll]] for (uint j = 0; j < 4; ++j) {
      const uint n = n0 + product_col(i) + j;
      if (m >= p.rows || n >= p.width) continue;
      const uint at = p.y.offset + m * p.y.stride + (p.first_head + gl_WorkGroupID.z) * p.width + n;
      const float value = total[i][j] / sums[gl_WorkGroupID.z * p.rows + m];
      result[at] = p.first_key == 0 ? value : result[at] + value;
    }
  }
}
