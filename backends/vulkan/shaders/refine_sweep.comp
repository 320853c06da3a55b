// SPDX-License-Identifier: Apache-2.0
// One pass of coordinate descent over the channels of a window of G, a workgroup a row. All invocations look ahead,
// one channel each; the first channel whose code moves is taken, the slopes of all channels follow, and they look
// again from the next one on. That is the order of one after another, at the price of the few codes that move.
#version 450
#include "backends/vulkan/shaders/refine_push.h"
#include "backends/vulkan/shaders/half.glsl"
#include "backends/vulkan/shaders/exact.glsl"
#include "backends/vulkan/shaders/words.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint kTop = 15;
layout(push_constant, std430) uniform Push { RefinePush p; };
layout(binding = 0, std430) buffer Codes { uint codes[]; };
layout(binding = 1, std430) readonly buffer Scales { float scales[]; };
layout(binding = 2, std430) readonly buffer Gram { float gram[]; };
layout(binding = 3, std430) buffer Slopes { float slopes[]; };
layout(binding = 4, std430) buffer Moved { uint moved[]; };

shared uint first_to_move;
shared float change;

// refined_code() of src/tensor/quantize_math.h.
float refined_code(float code, float scale, float slope, float curvature) {
  if (!(curvature > 0)) return code;
  precise float weight = curvature * scale;
  const float step = exact_quotient(slope, weight);
  if ((floatBitsToUint(step) & 0x7f800000u) == 0x7f800000u) return code;
  precise float best = code - step;
  return clamp(roundEven(best), 0.0, float(kTop));
}

void main() {
  const uint local = gl_LocalInvocationID.x, r = gl_WorkGroupID.x;
  if (moved[r] + 1 < p.sweep) return;  // the last sweep changed nothing
  const uint row = r * p.cols, code_row = p.codes.offset + r * p.codes.stride;
  const uint end = p.first + p.count;
  bool any = false;
  for (uint at = p.first; at < end;) {
    if (local == 0) first_to_move = end;
    barrier();
    const uint c = at / 256 * 256 + local;  // so that the slopes of a channel are always the same invocation's
    float scale, before, after;
    if (c >= at && c < end) {
      scale = scales[p.scales.offset + r * p.scales.stride + c / p.group];
      before = float(LOAD_ELEMENT(codes, 1, code_row + c));
      after = refined_code(before, scale, slopes[row + c], gram[p.gram.offset + (c - p.first) * p.gram.stride + c]);
      if (after != before) atomicMin(first_to_move, c);
    }
    barrier();
    const uint moving = first_to_move;
    if (c == moving && moving < end) {
      change = (after - before) * scale;
      const uint byte = code_row + c;
      STORE_MASKED(codes, byte / 4, uint(after) << (byte % 4 * 8), 0xffu << (byte % 4 * 8))
    }
    barrier();
    if (moving == end) {
      at = (at / 256 + 1) * 256;
      continue;
    }
    const uint gram_row = p.gram.offset + (moving - p.first) * p.gram.stride;
    for (uint i = local; i < p.cols; i += 256) slopes[row + i] += change * gram[gram_row + i];
    any = true;
    at = moving + 1;
  }
  if (any && local == 0) moved[r] = p.sweep;
}
