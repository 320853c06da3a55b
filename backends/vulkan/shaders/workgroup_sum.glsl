// SPDX-License-Identifier: Apache-2.0
// The sum of 256 double_float numbers, one of each invocation of a workgroup, in an order that is always the same.
// Through shared memory: next to what the ops read before, subgroups would save nothing, and they differ from device to
// device. Needs double_float.glsl.
shared vec2 parts[256];

vec2 workgroup_sum(vec2 own) {
  const uint local = gl_LocalInvocationIndex;
  barrier();
  parts[local] = own;
  for (uint half_count = 128; half_count > 0; half_count /= 2) {
    barrier();
    if (local < half_count) parts[local] = df_add(parts[local], parts[local + half_count]);
  }
  barrier();
  return parts[0];
}
