// SPDX-License-Identifier: Apache-2.0
// scores = q k^T, where the key is not after the query: tiles as in product.glsl, heads are z.
#version 450
#include "backends/vulkan/shaders/attention_push.h"
#define A_ALONG_K 1
#define B_ALONG_K 1
#include "backends/vulkan/shaders/product.glsl"

PUSH_CONSTANTS(AttentionPush)
layout(binding = 0, std430) readonly buffer Q { float q[]; };
layout(binding = 0, std430) readonly buffer FourQ { vec4 four_q[]; };
layout(binding = 1, std430) readonly buffer K { float keys[]; };
layout(binding = 1, std430) readonly buffer FourK { vec4 four_keys[]; };
layout(binding = 2, std430) writeonly buffer Scores { float scores[]; };

vec4 load_a(uint m, uint k) {
  const int left = m < p.rows ? int(k_end) - int(k) : 0;
  const uint at = p.q.offset + m * p.q.stride + (p.first_head + gl_WorkGroupID.z) * p.width + k;
  return LOAD_FOUR(kVectorA, q, four_q, at, left);
}

vec4 load_b(uint n, uint k) {
  const int left = n < p.keys ? int(k_end) - int(k) : 0;
  const uint at = p.kv.offset + n * p.kv.stride + (p.first_head + gl_WorkGroupID.z) / p.shared_by * p.width + k;
  return LOAD_FOUR(kVectorB, keys, four_keys, at, left);
}

void main() {
  TAKE_PUSH_CONSTANTS
  const uint m0 = gl_WorkGroupID.y * kBlockRows, n0 = gl_WorkGroupID.x * kBlockCols;
  if (p.first_key + n0 >= p.first_query + m0 + kBlockRows) return;
  clear_total();
  multiply(m0, n0, 0, p.width);
  [[unroll]] for (uint i = 0; i < kTotals; ++i) {
    const uint m = m0 + product_row(i);
    [[unroll]] for (uint j = 0; j < 4; ++j) {
      const uint n = n0 + product_col(i) + j;
      if (m < p.rows && n < p.keys) scores[(gl_WorkGroupID.z * p.rows + m) * p.stride + p.first_key + n] = total[i][j];
    }
  }
}
