// SPDX-License-Identifier: Apache-2.0
// loss = e G_p e^T of many trials: E G_p is a tiled product whose left side, the errors of rounding, is made while it
// is read, and whose result goes no further than the dot products with E again. A workgroup has kBlockRows trials of
// one group and all rows of G_p there are, tile after tile. f32 sums.
#version 450
#include "backends/vulkan/shaders/clip_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/quantize_math.glsl"
#define A_ALONG_K 1
#define B_ALONG_K 1
#include "backends/vulkan/shaders/product.glsl"

PUSH_CONSTANTS(ClipErrorPush)
layout(binding = 0, std430) readonly buffer W { float w[]; };
layout(binding = 1, std430) readonly buffer Gram { float gram[]; };
layout(binding = 1, std430) readonly buffer FourGram { vec4 four_gram[]; };
layout(binding = 2, std430) readonly buffer Scales { float scales[]; };
layout(binding = 3, std430) readonly buffer Zeros { float zeros[]; };
layout(binding = 4, std430) buffer Loss { float loss[]; };

uint group_index, begin, width;  // the group, its first column, its columns

uint trial_of(uint m) { return (m / p.candidates * p.groups + group_index) * p.candidates + m % p.candidates; }

vec4 load_a(uint m, uint k) {
  vec4 errors = vec4(0);
  if (m >= p.rows * p.candidates) return errors;
  const uint trial = trial_of(m), at = p.w.offset + m / p.candidates * p.w.stride + begin + k;
  const vec2 params = vec2(scales[trial], zeros[trial]);
  for (uint i = 0; i < 4 && k + i < k_end; ++i) errors[i] = quantize_error(w[at + i], params);
  return errors;
}

vec4 load_b(uint n, uint k) {
  const int left = n < p.row_end && n < width ? int(k_end) - int(k) : 0;
  const uint from_first = begin - p.first_group * p.group;
  const uint at = p.gram.offset + (from_first + n - p.row_begin) * p.gram.stride + from_first + k;
  return LOAD_FOUR(kVectorB, gram, four_gram, at, left);
}

void main() {
  TAKE_PUSH_CONSTANTS
  group_index = p.first_group + gl_WorkGroupID.y;
  begin = group_index * p.group;
  width = min(p.group, p.cols - begin);
  const uint m0 = gl_WorkGroupID.x * kBlockRows, local = gl_LocalInvocationID.x;
  float sums[kTotals];
  for (uint i = 0; i < kTotals; ++i) sums[i] = 0;
  for (uint n0 = p.row_begin; n0 < min(p.row_end, width); n0 += kBlockCols) {
    clear_total();
    multiply(m0, n0, 0, width);
    for (uint i = 0; i < kTotals; ++i) {
      k_end = min(p.row_end, width);
      sums[i] += dot(total[i], load_a(m0 + product_row(i), n0 + product_col(i)));
    }
  }
  barrier();
  for (uint i = 0; i < kTotals; ++i) row_parts[product_row(i) * 16 + product_col(i) / 4] = sums[i];
  barrier();
  if (local >= kBlockRows || m0 + local >= p.rows * p.candidates) return;
  float sum = 0;
  for (uint i = 0; i < 16; ++i) sum += row_parts[local * 16 + i];
  const uint trial = trial_of(m0 + local);
  loss[trial] = p.add != 0 ? loss[trial] + sum : sum;
}
