// SPDX-License-Identifier: Apache-2.0
// A 32 by 32 tile of a product of double_float matrices by a workgroup, kSide by kSide elements an invocation, 16 steps
// of k at a time in shared memory, kRun of which are stored and read at once. For why there are two forms, see
// product_wide.glsl; their sums are the same. Needs double_float.glsl.
#extension GL_EXT_control_flow_attributes : require
#include "backends/vulkan/shaders/push_constants.glsl"

const uint kDepth = 16;
#ifdef SCROOGE_WIDE
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(local_size_x = 64) in;
const uint kInvocations = 64, kSide = 4, kRun = 4;
shared u64vec4 left[32 * 8], right[32 * 4];  // [line][k / 4]
#else
layout(local_size_x = 256) in;
const uint kInvocations = 256, kSide = 2, kRun = 2;
const uint kStride = 34;
shared vec2 left[32 * kStride], right[kDepth * kStride];  // [k][line]; a whole tile: [line][k]
#endif
vec2 sum[kSide * kSide];  // row after row, of the rows from tile_row() on, columns from tile_col() on

uint tile_row() { return gl_LocalInvocationID.x / (32 / kSide) * kSide; }
uint tile_col() { return gl_LocalInvocationID.x % (32 / kSide) * kSide; }

void clear_sum() {
  [[unroll]] for (uint i = 0; i < kSide * kSide; ++i) sum[i] = vec2(0);
}

// to + a b, where halves() of a and b are given; the remainder is left to grow for some steps.
vec2 added(vec2 to, vec2 a, vec2 half_a, vec2 b, vec2 half_b) {
  precise float product = a.x * b.x;
  precise float error =
      ((half_a.x * half_b.x - product) + half_a.x * half_b.y + half_a.y * half_b.x) + half_a.y * half_b.y;
  precise float cross_terms = a.x * b.y + a.y * b.x;
  const vec2 next = two_sum(to.x, product);
  precise float rest = to.y + (next.y + (error + cross_terms));
  return vec2(next.x, rest);
}

// sum += a b^T, a of the invocation's rows, b of its columns.
void add_outer(vec2 a[kSide], vec2 b[kSide]) {
  vec2 half_a[kSide], half_b[kSide];
  [[unroll]] for (uint i = 0; i < kSide; ++i) {
    half_a[i] = halves(a[i].x);
    half_b[i] = halves(b[i].x);
  }
  [[unroll]] for (uint i = 0; i < kSide * kSide; ++i) {
    sum[i] = added(sum[i], a[i / kSide], half_a[i / kSide], b[i % kSide], half_b[i % kSide]);
  }
}

void normalize_sum() {
  [[unroll]] for (uint i = 0; i < kSide * kSide; ++i) sum[i] = fast_two_sum(sum[i].x, sum[i].y);
}

#ifdef SCROOGE_WIDE
u64vec4 packed(vec2 run[kRun]) {
  return u64vec4(packUint2x32(floatBitsToUint(run[0])), packUint2x32(floatBitsToUint(run[1])),
                 packUint2x32(floatBitsToUint(run[2])), packUint2x32(floatBitsToUint(run[3])));
}
vec2[kRun] unpacked(u64vec4 run) {
  return vec2[](uintBitsToFloat(unpackUint2x32(run.x)), uintBitsToFloat(unpackUint2x32(run.y)),
                uintBitsToFloat(unpackUint2x32(run.z)), uintBitsToFloat(unpackUint2x32(run.w)));
}

// Steps k to k + kRun - 1 of a row of the left side, of a column of the right side.
void store_left(uint row, uint k, vec2 run[kRun]) { left[row * 8 + k / 4] = packed(run); }
void store_right(uint col, uint k, vec2 run[kRun]) { right[col * 4 + k / 4] = packed(run); }

// sum += the product of what was stored. The caller has the barriers.
void add_product() {
  for (uint k = 0; k < kDepth; k += kRun) {
    vec2 a[kSide][kRun], b[kSide][kRun];
    [[unroll]] for (uint i = 0; i < kSide; ++i) {
      a[i] = unpacked(left[(tile_row() + i) * 8 + k / 4]);
      b[i] = unpacked(right[(tile_col() + i) * 4 + k / 4]);
    }
    [[unroll]] for (uint step = 0; step < kRun; ++step) {
      add_outer(vec2[](a[0][step], a[1][step], a[2][step], a[3][step]),
                vec2[](b[0][step], b[1][step], b[2][step], b[3][step]));
    }
  }
  normalize_sum();
}

// A whole tile on the left side: what the invocations have in sum, of which this is line `line` from k on.
void store_line(uint line, uint k, vec2 run[kRun]) { left[line * 8 + k / 4] = packed(run); }
vec2[kRun] stored_line(uint line, uint k) { return unpacked(left[line * 8 + k / 4]); }
#else
void store_left(uint row, uint k, vec2 run[kRun]) {
  [[unroll]] for (uint i = 0; i < kRun; ++i) left[(k + i) * kStride + row] = run[i];
}
void store_right(uint col, uint k, vec2 run[kRun]) {
  [[unroll]] for (uint i = 0; i < kRun; ++i) right[(k + i) * kStride + col] = run[i];
}

void add_product() {
  for (uint step = 0; step < kDepth; ++step) {
    vec2 a[kSide], b[kSide];
    [[unroll]] for (uint i = 0; i < kSide; ++i) {
      a[i] = left[step * kStride + tile_row() + i];
      b[i] = right[step * kStride + tile_col() + i];
    }
    add_outer(a, b);
  }
  normalize_sum();
}

void store_line(uint line, uint k, vec2 run[kRun]) {
  [[unroll]] for (uint i = 0; i < kRun; ++i) left[line * kStride + k + i] = run[i];
}
vec2[kRun] stored_line(uint line, uint k) { return vec2[](left[line * kStride + k], left[line * kStride + k + 1]); }
#endif

// The sums become a whole tile on the left side, lines being rows or, transposed, columns, and are cleared.
void share_sum(bool transposed) {
  barrier();
  [[unroll]] for (uint line = 0; line < kSide; ++line) {
    vec2 run[kRun];
    [[unroll]] for (uint i = 0; i < kSide; ++i) run[i] = transposed ? sum[i * kSide + line] : sum[line * kSide + i];
    store_line((transposed ? tile_col() : tile_row()) + line, transposed ? tile_row() : tile_col(), run);
  }
  barrier();
  clear_sum();
}
