// SPDX-License-Identifier: Apache-2.0
// One tile of the inverse X of L in double_float numbers, which takes the place of L row tile by row tile. In row tile
// r, which is fixed here,
//   X(r, f) = -X(r, r) sum over f <= k < r of L(r, k) X(k, f)
// needs L's own row only, which lies in the panel, and rows of X above it. These come window by window: until the last
// of them, the sums lie in the scratch.
#version 450
#include "backends/vulkan/shaders/gram_factor_push.h"
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/gram_factor_product.glsl"

PUSH_CONSTANTS(FactorPush)
layout(binding = 0, std430) readonly buffer Values { float values[]; };
layout(binding = 1, std430) readonly buffer Rests { float rests[]; };
layout(binding = 2, std430) writeonly buffer FixedValues { float fixed_values[]; };
layout(binding = 3, std430) writeonly buffer FixedRests { float fixed_rests[]; };
layout(binding = 4, std430) readonly buffer State { vec2 state[]; };
layout(binding = 5, std430) readonly buffer Panel { vec2 panel[]; };
layout(binding = 6, std430) buffer Sums { vec2 sums[]; };

void main() {
  TAKE_PUSH_CONSTANTS
  const uint r = p.fixed_tile, f = gl_WorkGroupID.x;
  const uint m = tile_row(), n = tile_col();
  const uint own = f * 1024 + m * 32 + n;  // among the sums
  const bool begun = f * 32 < p.first_row;
  [[unroll]] for (uint i = 0; i < kSide * kSide; ++i) {
    sum[i] = begun ? sums[own + i / kSide * 32 + i % kSide] : vec2(0);
  }
  for (uint k = begun ? p.first_row : f * 32; k < p.end_tile * 32; k += kDepth) {
    barrier();
    for (uint at = gl_LocalInvocationID.x; at < 32 * kDepth / kRun; at += kInvocations) {
      const uint row = at / (kDepth / kRun), col = at % (kDepth / kRun) * kRun;  // in the panel
      const uint across = at % 32, depth = at / 32 * kRun;                       // in X
      vec2 of_panel[kRun], of_x[kRun];
      [[unroll]] for (uint i = 0; i < kRun; ++i) {
        of_panel[i] = panel[row * p.size + k + col + i];
        const uint x_row = k + depth + i, x_col = f * 32 + across;
        of_x[i] = k / 32 == f ? state[FACTOR_INVERSES + f * 1024 + x_row % 32 * 32 + across]
                              : vec2(values[VALUE(p.window, x_row - p.first_row, x_col)],
                                     rests[REST(p.window, x_row - p.first_row, x_col)]);
      }
      store_left(row, col, of_panel);
      store_right(across, depth, of_x);
    }
    barrier();
    add_product();
  }
  if (p.end_tile < r) {
    [[unroll]] for (uint i = 0; i < kSide * kSide; ++i) sums[own + i / kSide * 32 + i % kSide] = sum[i];
    return;
  }
  share_sum(true);
  for (uint k = 0; k < m + kSide; k += kRun) {  // X(r, r) is lower triangular
    vec2 lines[kSide][kRun];
    [[unroll]] for (uint i = 0; i < kSide; ++i) lines[i] = stored_line(n + i, k);
    [[unroll]] for (uint step = 0; step < kRun; ++step) {
      vec2 a[kSide], b[kSide];
      [[unroll]] for (uint i = 0; i < kSide; ++i) {
        a[i] = state[FACTOR_INVERSES + r * 1024 + (m + i) * 32 + k + step];
        b[i] = lines[i][step];
      }
      add_outer(a, b);
    }
  }
  normalize_sum();
  [[unroll]] for (uint i = 0; i < kSide * kSide; ++i) {
    const uint to_row = m + i / kSide, to_col = f * 32 + n + i % kSide;
    if (r * 32 + to_row >= p.size) continue;
    fixed_values[VALUE(p.of_fixed, to_row, to_col)] = -sum[i].x;
    fixed_rests[REST(p.of_fixed, to_row, to_col)] = -sum[i].y;
  }
}
