// SPDX-License-Identifier: Apache-2.0
// What the backend relies on, for the host to compare: see self_test.cc. One invocation a case.
#version 450
#include "backends/vulkan/shaders/double_float.glsl"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/words.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kMark = 0;
layout(binding = 0, std430) readonly buffer Cases { uvec4 cases[]; };  // a, b, -(a * b) as rounded
layout(binding = 1, std430) writeonly buffer Results { uvec4 results[]; };
layout(binding = 2, std430) buffer Bytes { uint bytes[]; };

shared uint gathered[64];

void main() {
  const uint i = gl_GlobalInvocationID.x, local = gl_LocalInvocationID.x;
  const uvec4 given = cases[i];
  const float a = uintBitsToFloat(given.x), b = uintBitsToFloat(given.y);
  precise float sum = a + b;
  precise float product = a * b;
  precise float nothing = product + uintBitsToFloat(given.z);
  results[2 * i] = uvec4(floatBitsToUint(sum), floatBitsToUint(nothing), exact_product(given.x, given.y),
                         floatBitsToUint(exact_quotient(a, b)));

  gathered[local] = i ^ kMark;
  for (uint other = 32; other > 0; other /= 2) {
    barrier();
    if (local < other) gathered[local] += gathered[local + other];
  }
  barrier();
  results[2 * i + 1] = uvec4(floatBitsToUint(rounded_quotient(a, b)), floatBitsToUint(two_product(a, b).y),
                             floatBitsToUint(two_sum(a, b).y), gathered[0]);
  STORE_MASKED(bytes, i / 4, (i * 37 & 0xffu) << (i % 4 * 8), 0xffu << (i % 4 * 8))
}
