// SPDX-License-Identifier: Apache-2.0
// Quotient and square root of double_float numbers: those of f32, which Vulkan has within 2.5 units in the last place,
// and two steps that take up the remainder. Needs double_float.glsl.

vec2 df_quotient(vec2 a, vec2 b) {
  const float first = a.x / b.x;
  vec2 rest = df_add(a, -df_mul(b, vec2(first, 0)));
  const float second = rest.x / b.x;
  rest = df_add(rest, -df_mul(b, vec2(second, 0)));
  return df_add(fast_two_sum(first, second), vec2(rest.x / b.x, 0));
}

// REQUIRES: a > 0.
vec2 df_root(vec2 a) {
  const float root = sqrt(a.x), twice = 2.0 * root;
  const float first = df_add(a, -two_product(root, root)).x / twice;
  const vec2 better = fast_two_sum(root, first);
  return df_add(better, vec2(df_add(a, -df_mul(better, better)).x / twice, 0));
}
