// SPDX-License-Identifier: Apache-2.0
// The Cholesky factor of the diagonal tile at hand and the inverse of that, column after column, in one workgroup. Both
// are lower triangular and lie in one array: a(i, j) at [i][j], the inverse y(i, c) at [c][i + 1].
#version 450
#include "backends/vulkan/shaders/gram_factor_push.h"
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/double_float_root.glsl"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Push { FactorPush p; };
layout(binding = 0, std430) buffer State { vec2 state[]; };

shared vec2 both[32 * 33];
#define A(i, j) both[(i) * 33 + (j)]
#define Y(i, c) both[(c) * 33 + (i) + 1]

vec2 less_product(vec2 from, vec2 a, vec2 b) { return df_add(from, -df_mul(a, b)); }

void main() {
  if (state[0].x != 0) return;
  const uint local = gl_LocalInvocationID.x, size = min(p.size - p.fixed_tile * 32, 32);
  for (uint at = local; at < 1024; at += 256) {
    const uint i = at / 32, j = at % 32;
    if (j > i) continue;
    vec2 value = i < size ? state[FACTOR_DIAGONAL + at] : vec2(i == j ? 1.0 : 0.0, 0);
    if (i < size && i == j) value = df_add(value, state[1]);
    A(i, j) = value;
    Y(i, j) = vec2(i == j ? 1.0 : 0.0, 0);
  }
  bool broken = false;
  for (uint j = 0; j < 32; ++j) {
    barrier();
    const vec2 pivot = A(j, j);
    const bool fine = pivot.x > 0 && pivot.x < uintBitsToFloat(0x7f800000u);
    broken = broken || !fine;
    const vec2 root = df_root(fine ? pivot : vec2(1, 0));
    if (local > j && local < 32) A(local, j) = df_quotient(A(local, j), root);
    if (local >= 64 && local <= 64 + j) Y(j, local - 64) = df_quotient(Y(j, local - 64), root);
    barrier();
    for (uint at = local; at < 1024; at += 256) {
      const uint i = at / 32, c = at % 32;
      if (i <= j || c > i) continue;
      if (c > j) {
        A(i, c) = less_product(A(i, c), A(i, j), A(c, j));
      } else {
        Y(i, c) = less_product(Y(i, c), A(i, j), Y(j, c));
      }
    }
  }
  barrier();
  for (uint at = local; at < 1024; at += 256) {
    const uint i = at / 32, c = at % 32;
    state[FACTOR_INVERSES + p.fixed_tile * 1024 + at] = c <= i ? Y(i, c) : vec2(0);
  }
  if (local == 0 && broken) state[0] = vec2(1, 0);
}
