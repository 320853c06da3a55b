// SPDX-License-Identifier: Apache-2.0
// Scales and zero points of groups, with their ranges scaled by each of some candidates. kLanes invocations find the
// range of a group together, then make the candidates in turns. A workgroup has 256 / kLanes groups of one row.
#version 450
#include "backends/vulkan/shaders/group_params_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/quantize_math.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 8) const uint kLanes = 32;  // a power of 2
layout(push_constant, std430) uniform Push { GroupParamsPush p; };
layout(binding = 0, std430) readonly buffer W { float w[]; };
layout(binding = 1, std430) readonly buffer Candidates { float ratios[]; };  // low, high
layout(binding = 2, std430) writeonly buffer Scales { float scales[]; };
layout(binding = 3, std430) writeonly buffer Zeros { float zeros[]; };

shared float least[256], greatest[256];

void main() {
  const uint local = gl_LocalInvocationID.x, lane = local % kLanes, r = gl_WorkGroupID.y;
  const uint g = gl_WorkGroupID.x * (256 / kLanes) + local / kLanes;
  const bool real = g < p.groups;
  const uint begin = real ? g * p.group : 0, end = real ? min(begin + p.group, p.cols) : 0;
  const uint row = p.w.offset + r * p.w.stride;
  float low = uintBitsToFloat(0x7f7fffffu), high = -low;
  for (uint c = begin + lane; c < end; c += kLanes) {
    const float value = w[row + c];
    low = min(low, value);
    high = max(high, value);
  }
  least[local] = low;
  greatest[local] = high;
  for (uint half_lanes = kLanes / 2; half_lanes > 0; half_lanes /= 2) {
    barrier();
    if (lane < half_lanes) {
      least[local] = min(least[local], least[local + half_lanes]);
      greatest[local] = max(greatest[local], greatest[local + half_lanes]);
    }
  }
  barrier();
  if (!real) return;
  low = least[local - lane];
  high = greatest[local - lane];
  for (uint i = lane; i < p.candidates; i += kLanes) {
    const float low_ratio = ratios[2 * i], high_ratio = ratios[2 * i + 1];
    precise float clipped_low = low_ratio * low, clipped_high = high_ratio * high;
    if (p.abs_max != 0) {
      precise float limit = high_ratio * max(abs(low), abs(high));
      clipped_low = clamp(low, -limit, limit);
      clipped_high = clamp(high, -limit, limit);
    }
    const vec2 params = params_from_range(clipped_low, clipped_high);
    scales[p.scales.offset + r * p.scales.stride + g * p.candidates + i] = params.x;
    zeros[p.zeros.offset + r * p.zeros.stride + g * p.candidates + i] = params.y;
  }
}
