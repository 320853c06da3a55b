// SPDX-License-Identifier: Apache-2.0
// Rotary embedding in place: an invocation turns one pair of every head of one row, by the same angle; 32 pairs by 8
// rows a workgroup. The angle is a double_float number, for positions are large and Vulkan's sine and cosine are
// coarse.
#version 450
#include "backends/vulkan/shaders/rope_push.h"
#include "backends/vulkan/shaders/double_float.glsl"

layout(local_size_x = 32, local_size_y = 8) in;
layout(push_constant, std430) uniform Push { RopePush p; };
layout(binding = 0, std430) buffer X { float x[]; };
layout(binding = 1, std430) readonly buffer Frequencies { float frequencies[]; };

// Cosine and sine: the angle less the nearest multiple of pi / 2, and polynomials, the coefficients of Cephes' sinf and
// cosf, within 2^-24.
vec2 cosine_and_sine(vec2 angle) {
  const float turns = roundEven(angle.x * 0.636619772);
  vec2 rest = df_add(angle, -two_product(turns, 1.5707963705062866));
  rest = df_add(rest, two_product(turns, 4.371138828673793e-08));
  precise float small = rest.y + turns * 1.7151245100058819e-15;
  const float a = rest.x, square = a * a;
  const float sine_rest = -0.16666654611 + square * (0.0083321608736 - square * 0.00019515295891);
  const float cosine_rest = 0.041666645683 - square * (0.0013887316255 - square * 0.000024433157118);
  float sine = a + (small + a * square * sine_rest);
  float cosine = 1.0 - (0.5 * square + a * small - square * square * cosine_rest);
  const int quarter = int(turns) & 3;
  if ((quarter & 1) != 0) {
    const float swapped = sine;
    sine = cosine;
    cosine = -swapped;
  }
  return quarter >= 2 ? vec2(-cosine, -sine) : vec2(cosine, sine);
}

void main() {
  const uint i = gl_GlobalInvocationID.x, r = gl_GlobalInvocationID.y;
  if (i >= p.pairs || r >= p.rows) return;
  const float position = float((p.first_row + r) % p.sequence);
  const vec2 turn = cosine_and_sine(two_product(position, frequencies[p.frequencies + i])) * p.magnitude;
  for (uint head = 0; head < p.heads; ++head) {
    const uint at = p.x.offset + r * p.x.stride + head * p.width + i;
    const float a = x[at], b = x[at + p.pairs];
    x[at] = a * turn.x - b * turn.y;
    x[at + p.pairs] = b * turn.x + a * turn.y;
  }
}
