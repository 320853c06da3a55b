// SPDX-License-Identifier: Apache-2.0
// The bit stream of src/tensor/pack_bits.h: one invocation makes one word of a row of packed bytes, of the codes whose
// bits it holds. 64 words by 4 rows a workgroup. p.cols counts codes, p.group packed bytes.
#version 450
#include "backends/vulkan/shaders/codes_push.h"
#include "backends/vulkan/shaders/words.glsl"

layout(local_size_x = 64, local_size_y = 4) in;
layout(push_constant, std430) uniform Push { CodesPush p; };
layout(binding = 0, std430) readonly buffer Codes { uint codes[]; };
layout(binding = 1, std430) buffer Packed { uint packed[]; };

void main() {
  const uint r = gl_GlobalInvocationID.y;
  if (r >= p.rows) return;
  const uint begin = p.w.offset + r * p.w.stride, row = p.codes.offset + r * p.codes.stride;
  const uint word = begin / 4 + gl_GlobalInvocationID.x;
  uint bits = 0, mask = 0;
  for (uint i = 0; i < 4; ++i) {
    const uint byte = word * 4 + i - begin;  // wraps round before the row
    if (byte >= p.group) continue;
    uint value = 0;
    for (uint c = byte * 8 / p.bits; c < p.cols && c * p.bits < byte * 8 + 8; ++c) {
      const uint code = LOAD_ELEMENT(codes, 1, row + c);
      const int shift = int(c * p.bits) - int(byte * 8);
      value |= shift >= 0 ? code << shift : code >> -shift;
    }
    bits |= (value & 0xffu) << (8 * i);
    mask |= 0xffu << (8 * i);
  }
  if (mask == 0) return;
  STORE_MASKED(packed, word, bits, mask)
}
