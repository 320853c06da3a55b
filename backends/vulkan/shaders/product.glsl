// SPDX-License-Identifier: Apache-2.0
// One tile of a product, the sum over k of A(m, k) B(n, k), by a workgroup: 64 or 128 rows m by 64 columns n, 16 steps
// of k at a time in shared memory. Sums run over k in order, 256 at a time and then over those, in f32: they depend on
// neither the tile nor on what other rows there are, nor on which of the two files below makes them.
//
// A shader that includes this defines A_ALONG_K and B_ALONG_K before (1: four elements that are read at once follow one
// another along k; 0: along m or n), and after it
//   vec4 load_a(uint m, uint k);  // A(m, k .. k + 3), or A(m .. m + 3, k); zero where there is none, and from k_end on
//   vec4 load_b(uint n, uint k);
// Specialization constants 0 to 2 are taken, see product.h.
#extension GL_EXT_control_flow_attributes : require
#include "backends/vulkan/shaders/push_constants.glsl"
#ifdef SCROOGE_WIDE
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(local_size_x = 128) in;
#else
layout(local_size_x = 256) in;
#endif

layout(constant_id = 0) const uint kQuads = 1;  // 64 rows each: 1 or 2
layout(constant_id = 1) const bool kVectorA = false;  // A may be read four aligned elements at a time
layout(constant_id = 2) const bool kVectorB = false;
const uint kBlockRows = 64 * kQuads, kBlockCols = 64, kStep = 16, kChunk = 256;

vec4 load_a(uint m, uint k);
vec4 load_b(uint n, uint k);

uint k_end;

// Elements i to i + 3 of an array, of which `left` are there; `four` is the same array by vectors. With `vector` these
// may be read, and either all four are there or none.
#define LOAD_FOUR(vector, one, four, i, left)                                        \
  ((vector) ? int(left) > 0 ? four[(i) >> 2] : vec4(0)                               \
            : vec4(int(left) > 0 ? one[i] : 0.0, int(left) > 1 ? one[(i) + 1] : 0.0, \
                   int(left) > 2 ? one[(i) + 2] : 0.0, int(left) > 3 ? one[(i) + 3] : 0.0))

// Either file has
//   kTotals; vec4 total[kTotals];  // of an invocation: row product_row(i), columns product_col(i) to + 3
//   void multiply(uint m0, uint n0, uint begin, uint end);
// total += the product of rows m0 .. and columns n0 .. over k from `begin` to `end`. By all invocations together.
#ifdef SCROOGE_WIDE
const uint kTotals = 8 * kQuads;
#else
const uint kTotals = 4 * kQuads;
#endif
vec4 total[kTotals];

void clear_total() {
  [[unroll]] for (uint i = 0; i < kTotals; ++i) total[i] = vec4(0);
}

#ifdef SCROOGE_WIDE
#include "backends/vulkan/shaders/product_wide.glsl"
#else
#include "backends/vulkan/shaders/product_shared.glsl"
#endif

// 16 numbers of each row of the tile, and 16 of each of 64 rows, between barriers.
#ifdef SCROOGE_WIDE
shared float row_parts[kBlockRows * 16], more_parts[64 * 16];
#else
#define row_parts tile_a
#define more_parts tile_b
#endif
