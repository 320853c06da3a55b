// SPDX-License-Identifier: Apache-2.0
// One tile of the factorization in double_float numbers, row tile r, column tile f:
//   kStage 0: L(r, f) before the division: H - sum over k < f of L(r, k) L(f, k)^T, in place; for r = f into the
//             scratch. H has values only.
//   kStage 1: L(r, f) = that times the transposed inverse of L(f, f).
#version 450
#include "backends/vulkan/shaders/gram_factor_push.h"
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/gram_factor_product.glsl"

layout(constant_id = 0) const uint kStage = 0;
PUSH_CONSTANTS(FactorPush)
layout(binding = 0, std430) buffer Values { float values[]; };
layout(binding = 1, std430) buffer Rests { float rests[]; };
layout(binding = 2, std430) readonly buffer FixedValues { float fixed_values[]; };
layout(binding = 3, std430) readonly buffer FixedRests { float fixed_rests[]; };
layout(binding = 4, std430) buffer State { vec2 state[]; };

void main() {
  TAKE_PUSH_CONSTANTS
  if (state[0].x != 0) return;
  const uint r = p.first_tile + gl_WorkGroupID.x, f = p.fixed_tile;
  const uint m0 = r * 32 - p.first_row, n0 = f * 32;  // rows in the window; columns
  const uint m = tile_row(), n = tile_col();
  clear_sum();
  if (kStage == 0) {
    for (uint k = 0; k < n0; k += kDepth) {
      barrier();
      for (uint at = gl_LocalInvocationID.x; at < 32 * kDepth / kRun; at += kInvocations) {
        const uint row = at / (kDepth / kRun), col = at % (kDepth / kRun) * kRun;
        const bool row_there = r * 32 + row < p.size, fixed_there = n0 + row < p.size;
        vec2 own[kRun], of_fixed[kRun];
        [[unroll]] for (uint i = 0; i < kRun; ++i) {
          const uint c = k + col + i;
          own[i] = of_fixed[i] = vec2(0);
          if (row_there) own[i] = vec2(values[VALUE(p.window, m0 + row, c)], rests[REST(p.window, m0 + row, c)]);
          if (fixed_there) {
            of_fixed[i] = vec2(fixed_values[VALUE(p.of_fixed, row, c)], fixed_rests[REST(p.of_fixed, row, c)]);
          }
        }
        store_left(row, col, own);
        store_right(row, col, of_fixed);
      }
      barrier();
      add_product();
    }
  }
  [[unroll]] for (uint i = 0; i < kSide * kSide; ++i) {
    const uint row = m + i / kSide, col = n + i % kSide;
    const bool there = r * 32 + row < p.size && n0 + col < p.size && (r != f || col <= row);
    vec2 own = vec2(0);
    if (there) own.x = values[VALUE(p.window, m0 + row, n0 + col)];
    if (there && kStage == 1) own.y = rests[REST(p.window, m0 + row, n0 + col)];
    sum[i] = kStage == 0 && there ? df_add(-sum[i], own) : own;
  }
  if (kStage == 1) {
    share_sum(false);
    for (uint k = 0; k < n + kSide; k += kRun) {  // the inverse is lower triangular
      vec2 lines[kSide][kRun];
      [[unroll]] for (uint i = 0; i < kSide; ++i) lines[i] = stored_line(m + i, k);
      [[unroll]] for (uint step = 0; step < kRun; ++step) {
        vec2 a[kSide], b[kSide];
        [[unroll]] for (uint i = 0; i < kSide; ++i) {
          a[i] = lines[i][step];
          b[i] = state[FACTOR_INVERSES + f * 1024 + (n + i) * 32 + k + step];
        }
        add_outer(a, b);
      }
    }
    normalize_sum();
  }
  [[unroll]] for (uint i = 0; i < kSide * kSide; ++i) {
    const uint row = m + i / kSide, col = n + i % kSide;
    if (kStage == 0 && r == f) {
      state[FACTOR_DIAGONAL + row * 32 + col] = sum[i];
    } else if (r * 32 + row < p.size && n0 + col < p.size) {
      values[VALUE(p.window, m0 + row, n0 + col)] = sum[i].x;
      rests[REST(p.window, m0 + row, n0 + col)] = sum[i].y;
    }
  }
}
