// SPDX-License-Identifier: Apache-2.0
// y = x as another type: one invocation makes one word of y, that is one f32 or two f16 or bf16 elements, of one row.
// 64 words by 4 rows a workgroup.
#version 450
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/words.glsl"

layout(local_size_x = 64, local_size_y = 4) in;
layout(constant_id = 0) const uint kFrom = 0;  // DType: 0 f32, 1 f16, 2 bf16
layout(constant_id = 1) const uint kTo = 0;
layout(push_constant, std430) uniform Push { ElementPush p; };
layout(binding = 0, std430) readonly buffer X { uint x[]; };
layout(binding = 1, std430) buffer Y { uint y[]; };

uint load(uint i) {
  const uint bits = LOAD_ELEMENT(x, kFrom == 0 ? 4 : 2, i);
  return kFrom == 0 ? bits : kFrom == 1 ? fp16_to_float(bits) : bf16_to_float(bits);
}

void main() {
  const uint r = gl_GlobalInvocationID.y;
  if (r >= p.rows) return;
  const uint begin = p.y.offset + r * p.y.stride;
  const uint in_word = kTo == 0 ? 1 : 2;
  const uint word = begin / in_word + gl_GlobalInvocationID.x;
  uint bits = 0, mask = 0;
  for (uint i = 0; i < in_word; ++i) {
    const uint c = word * in_word + i - begin;  // wraps round before the row
    if (c >= p.cols) continue;
    const uint value = load(p.a.offset + r * p.a.stride + c);
    if (kTo == 0) {
      bits = value;
      mask = 0xffffffffu;
    } else {
      bits |= (kTo == 1 ? float_to_fp16(value) : float_to_bf16(value)) << (16 * i);
      mask |= 0xffffu << (16 * i);
    }
  }
  if (mask == 0) return;
  STORE_MASKED(y, word, bits, mask)
}
