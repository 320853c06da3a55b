// SPDX-License-Identifier: Apache-2.0
// One pass of coordinate descent over the channels of a window of G, a workgroup a row. All invocations look ahead,
// one channel of a block of 256 each; the first channel whose code moves is taken, the slopes of the block follow, and
// they look again from the next one on. That is the order of one after another, at the price of the few codes that
// move. What the moves of a block do to the slopes of the others is made up for after it, in their order.
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

shared uint first_to_move[2];  // of this look, of the next
shared uint moves[256];        // channels, of the block
shared float changes[256];     // of their values

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
  const uint end = p.first + p.count, gram_row = p.gram.offset - p.first * p.gram.stride;
  bool any = false;
  if (local < 2) first_to_move[local] = end;
  barrier();
  for (uint block = p.first / 256 * 256; block < end; block += 256) {
    const uint c = block + local;  // so that the slopes of a channel are always the same invocation's
    const bool real = c < p.cols;
    bool waits = c >= p.first && c < end;
    float slope = real ? slopes[row + c] : 0.0;
    float scale = 0, before = 0, curvature = 0;
    if (waits) {
      scale = scales[p.scales.offset + r * p.scales.stride + c / p.group];
      before = float(LOAD_ELEMENT(codes, 1, code_row + c));
      curvature = gram[gram_row + c * p.gram.stride + c];
    }
    uint count = 0;
    for (uint look = 0;; look = 1 - look) {
      const float after = waits ? refined_code(before, scale, slope, curvature) : before;
      if (after != before) atomicMin(first_to_move[look], c);
      barrier();
      const uint moving = first_to_move[look];
      if (local == 0) first_to_move[1 - look] = end;
      if (c == moving && moving < end) {
        moves[count] = c;
        changes[count] = (after - before) * scale;
        const uint byte = code_row + c;
        STORE_MASKED(codes, byte / 4, uint(after) << (byte % 4 * 8), 0xffu << (byte % 4 * 8))
      }
      barrier();
      if (moving >= end) break;
      if (real) slope += changes[count] * gram[gram_row + moving * p.gram.stride + c];
      waits = waits && c > moving;
      ++count;
    }
    if (count == 0) continue;
    any = true;
    if (real) slopes[row + c] = slope;
    for (uint i = local; i < p.cols; i += 256) {
      if (i == c) continue;
      float other = slopes[row + i];
      for (uint move = 0; move < count; ++move) {
        other += changes[move] * gram[gram_row + moves[move] * p.gram.stride + i];
      }
      slopes[row + i] = other;
    }
  }
  if (any && local == 0) moved[r] = p.sweep;
}
