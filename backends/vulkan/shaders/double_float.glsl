// SPDX-License-Identifier: Apache-2.0
// Numbers of some 48 bits as unevaluated sums of two f32, x the greater one: what stands for f64, which telephones
// lack. Nothing here needs a fused multiply-add; `precise` keeps compilers from making one, and from cancelling what
// cancels.

// a + b to the bit.
vec2 two_sum(float a, float b) {
  precise float sum = a + b;
  precise float of_b = sum - a;
  precise float error = (a - (sum - of_b)) + (b - of_b);
  return vec2(sum, error);
}

// The same. REQUIRES: |a| >= |b|, or a is 0.
vec2 fast_two_sum(float a, float b) {
  precise float sum = a + b;
  precise float error = b - (sum - a);
  return vec2(sum, error);
}

// x as a sum of two numbers of 12 bits, any two of which have an exact product.
vec2 halves(float x) {
  const float upper = uintBitsToFloat(floatBitsToUint(x) & 0xfffff000u);
  precise float lower = x - upper;
  return vec2(upper, lower);
}

// a * b to the bit, where nothing underflows.
vec2 two_product(float a, float b) {
  const vec2 s = halves(a), t = halves(b);
  precise float product = a * b;
  precise float error = ((s.x * t.x - product) + s.x * t.y + s.y * t.x) + s.y * t.y;
  return vec2(product, error);
}

vec2 df_add(vec2 a, vec2 b) {
  const vec2 sum = two_sum(a.x, b.x);
  precise float rest = sum.y + (a.y + b.y);
  return fast_two_sum(sum.x, rest);
}

vec2 df_mul(vec2 a, vec2 b) {
  const vec2 product = two_product(a.x, b.x);
  precise float rest = product.y + (a.x * b.y + a.y * b.x);
  return fast_two_sum(product.x, rest);
}
