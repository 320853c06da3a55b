// SPDX-License-Identifier: Apache-2.0
// One tile, 32 by 32, of the factorization or of the inverse, in double_float numbers: what the row tile r has to the
// left of the column tile f, times what row f has there, both in by_step (values) and by_channel (remainders).
//   kStage 0: L(r, f) before the division: H - sum over k < f of L(r, k) L(f, k)^T, in place; for r = f into the scratch.
//   kStage 1: L(r, f) = that times the transposed inverse of L(f, f).
//   kStage 2: the transposed inverse X of L, X(r, f) = -(sum over r <= k < f of X(r, k) L(f, k)^T) times the same.
// 256 invocations with 2 by 2 elements each; 16 columns at a time in shared memory.
#version 450
#extension GL_EXT_control_flow_attributes : require
#include "backends/vulkan/shaders/gram_factor_push.h"
#include "backends/vulkan/shaders/double_float.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint kStage = 0;
layout(push_constant, std430) uniform Push { FactorTilePush p; };
layout(binding = 0, std430) buffer Step { float by_step[]; };
layout(binding = 1, std430) buffer Channel { float by_channel[]; };
layout(binding = 2, std430) readonly buffer FixedStep { float fixed_step[]; };
layout(binding = 3, std430) readonly buffer FixedChannel { float fixed_channel[]; };
layout(binding = 4, std430) buffer State { vec2 state[]; };

const uint kDepth = 16, kStride = 34;
shared vec2 left[32 * 34], right[kDepth * kStride];  // the first also holds a whole tile

// sum + a b, where halves() of a and b are given; the remainder is left to grow for some steps.
vec2 added(vec2 sum, vec2 a, vec2 half_a, vec2 b, vec2 half_b) {
  precise float product = a.x * b.x;
  precise float error =
      ((half_a.x * half_b.x - product) + half_a.x * half_b.y + half_a.y * half_b.x) + half_a.y * half_b.y;
  precise float cross_terms = a.x * b.y + a.y * b.x;
  const vec2 next = two_sum(sum.x, product);
  precise float rest = sum.y + (next.y + (error + cross_terms));
  return vec2(next.x, rest);
}

void main() {
  if (kStage != 2 && state[0].x != 0) return;
  const uint local = gl_LocalInvocationID.x, r = p.first_tile + gl_WorkGroupID.x, f = p.fixed_tile;
  const uint m0 = r * 32 - p.first_row, n0 = f * 32;  // rows in the window; columns
  const uint m = local / 16 * 2, n = local % 16 * 2;  // of the invocation's four elements
  vec2 sum[4] = vec2[](vec2(0), vec2(0), vec2(0), vec2(0));
  const uint load_row = local / 8, load_col = local % 8 * 2;
  const uint step_row = p.step.offset + (m0 + load_row) * p.step.stride;
  const uint channel_row = p.channel.offset + (m0 + load_row) * p.channel.stride;
  const uint fixed_step_row = p.fixed_step.offset + load_row * p.fixed_step.stride;
  const uint fixed_channel_row = p.fixed_channel.offset + load_row * p.fixed_channel.stride;
  const bool row_there = r * 32 + load_row < p.size, fixed_there = n0 + load_row < p.size;
  if (kStage != 1) {
    for (uint k = kStage == 0 ? 0 : r * 32; k < n0; k += kDepth) {
      barrier();
      [[unroll]] for (uint i = 0; i < 2; ++i) {
        const uint c = k + load_col + i, at = (load_col + i) * kStride + load_row;
        left[at] = row_there ? vec2(by_step[step_row + c], by_channel[channel_row + c]) : vec2(0);
        right[at] = fixed_there ? vec2(fixed_step[fixed_step_row + c], fixed_channel[fixed_channel_row + c]) : vec2(0);
      }
      barrier();
      for (uint step = 0; step < kDepth; ++step) {
        vec2 a[2], b[2], half_a[2], half_b[2];
        [[unroll]] for (uint i = 0; i < 2; ++i) {
          a[i] = left[step * kStride + m + i];
          b[i] = right[step * kStride + n + i];
          half_a[i] = halves(a[i].x);
          half_b[i] = halves(b[i].x);
        }
        [[unroll]] for (uint i = 0; i < 4; ++i) {
          sum[i] = added(sum[i], a[i / 2], half_a[i / 2], b[i % 2], half_b[i % 2]);
        }
      }
      [[unroll]] for (uint i = 0; i < 4; ++i) sum[i] = fast_two_sum(sum[i].x, sum[i].y);
    }
    [[unroll]] for (uint i = 0; i < 4; ++i) sum[i] = -sum[i];
  }
  if (kStage != 2) {
    [[unroll]] for (uint i = 0; i < 4; ++i) {
      const uint row = m0 + m + i / 2, c = n0 + n + i % 2;
      const bool there = r * 32 + m + i / 2 < p.size && c < p.size && (r != f || n + i % 2 <= m + i / 2);
      if (!there) {
        sum[i] = vec2(0);
      } else if (kStage == 0) {
        sum[i] = df_add(sum[i], vec2(by_channel[p.channel.offset + row * p.channel.stride + c], 0));
      } else {
        sum[i] = vec2(by_step[p.step.offset + row * p.step.stride + c],
                      by_channel[p.channel.offset + row * p.channel.stride + c]);
      }
    }
  }
  if (kStage != 0) {
    barrier();
    [[unroll]] for (uint i = 0; i < 4; ++i) left[(m + i / 2) * 34 + n + i % 2] = sum[i];
    barrier();
    [[unroll]] for (uint i = 0; i < 4; ++i) sum[i] = vec2(0);
    // The inverse is lower triangular.
    for (uint k = 0; k < n + 2; ++k) {
      vec2 a[2], b[2];
      [[unroll]] for (uint i = 0; i < 2; ++i) {
        a[i] = left[(m + i) * 34 + k];
        b[i] = state[FACTOR_INVERSES + f * 1024 + (n + i) * 32 + k];
      }
      [[unroll]] for (uint i = 0; i < 4; ++i) {
        sum[i] = added(sum[i], a[i / 2], halves(a[i / 2].x), b[i % 2], halves(b[i % 2].x));
      }
    }
    [[unroll]] for (uint i = 0; i < 4; ++i) sum[i] = fast_two_sum(sum[i].x, sum[i].y);
  }
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    const uint row = m0 + m + i / 2, c = n0 + n + i % 2;
    if (kStage == 0 && r == f) {
      state[FACTOR_DIAGONAL + (m + i / 2) * 32 + n + i % 2] = sum[i];
    } else if (r * 32 + m + i / 2 < p.size && c < p.size) {
      by_step[p.step.offset + row * p.step.stride + c] = sum[i].x;
      by_channel[p.channel.offset + row * p.channel.stride + c] = sum[i].y;
    }
  }
}
