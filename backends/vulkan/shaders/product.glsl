// SPDX-License-Identifier: Apache-2.0
// One tile of a product, the sum over k of A(m, k) B(n, k), by a workgroup of 256: 64 or 128 rows m by 64 columns n,
// each invocation 4 or 8 rows by 4 columns in registers, 16 steps of k at a time in shared memory (below 16 KiB). Sums
// run over k in order, 256 at a time and then over those, in f32: they depend on neither the tile nor on what other
// rows there are.
//
// A shader that includes this defines A_ALONG_K and B_ALONG_K before (1: four elements that are read at once follow one
// another along k; 0: along m or n), and after it
//   vec4 load_a(uint m, uint k);  // A(m, k .. k + 3), or A(m .. m + 3, k); zero where there is none, and from k_end on
//   vec4 load_b(uint n, uint k);
// Specialization constants 0 to 2 are taken, see product.h.
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint kQuads = 1;  // of rows, an invocation: 1 or 2
layout(constant_id = 1) const bool kVectorA = false;  // A may be read four aligned elements at a time
layout(constant_id = 2) const bool kVectorB = false;
const uint kBlockRows = 64 * kQuads, kBlockCols = 64, kStep = 16, kChunk = 256;
const uint kStrideA = kBlockRows + 4, kStrideB = kBlockCols + 4;  // + 4: fewer conflicts of banks

shared float tile_a[kStep * kStrideA];
shared float tile_b[kStep * kStrideB];

vec4 load_a(uint m, uint k);
vec4 load_b(uint n, uint k);

uint k_end;
vec4 total[4 * kQuads];  // of the rows product_row(i), columns product_col() to + 3

// Elements i to i + 3 of an array, of which `left` are there; `four` is the same array by vectors, as it may be read
// where `vector` holds.
#define LOAD_FOUR(vector, one, four, i, left)                                                       \
  ((vector) && int(left) >= 4 ? four[(i) >> 2]                                                      \
                              : vec4(int(left) > 0 ? one[i] : 0.0, int(left) > 1 ? one[(i) + 1] : 0.0, \
                                     int(left) > 2 ? one[(i) + 2] : 0.0, int(left) > 3 ? one[(i) + 3] : 0.0))

uint product_row(uint i) { return (i / 4) * 64 + gl_LocalInvocationID.x / 16 * 4 + i % 4; }
uint product_col() { return gl_LocalInvocationID.x % 16 * 4; }

void clear_total() {
  [[unroll]] for (uint i = 0; i < 4 * kQuads; ++i) total[i] = vec4(0);
}

// total += the product of rows m0 .. and columns n0 .. over k from `begin` to `end`. By all invocations together.
void multiply(uint m0, uint n0, uint begin, uint end) {
  const uint local = gl_LocalInvocationID.x;
  const uint k_a = A_ALONG_K == 1 ? local % 4 * 4 : local / (kBlockRows / 4);
  const uint k_b = B_ALONG_K == 1 ? local % 4 * 4 : local / (kBlockCols / 4);
  const uint m = A_ALONG_K == 1 ? local / 4 : local % (kBlockRows / 4) * 4;
  const uint n = B_ALONG_K == 1 ? local / 4 : local % (kBlockCols / 4) * 4;
  // From one load of A to the invocation's next.
  const uint next_m = A_ALONG_K == 1 ? 64 : 0, next_k = A_ALONG_K == 1 ? 0 : 1024 / kBlockRows;
  k_end = end;
  vec4 sum[4 * kQuads], a[kQuads], b;
  [[unroll]] for (uint i = 0; i < 4 * kQuads; ++i) sum[i] = vec4(0);
  if (begin < end) {
    [[unroll]] for (uint q = 0; q < kQuads; ++q) a[q] = load_a(m0 + m + q * next_m, begin + k_a + q * next_k);
    b = load_b(n0 + n, begin + k_b);
  }
  for (uint k = begin; k < end; k += kStep) {
    barrier();
    [[unroll]] for (uint q = 0; q < kQuads; ++q) {
      const uint at = (k_a + q * next_k) * kStrideA + m + q * next_m;
      [[unroll]] for (uint i = 0; i < 4; ++i) tile_a[at + (A_ALONG_K == 1 ? i * kStrideA : i)] = a[q][i];
    }
    [[unroll]] for (uint i = 0; i < 4; ++i) tile_b[k_b * kStrideB + n + (B_ALONG_K == 1 ? i * kStrideB : i)] = b[i];
    barrier();
    if (k + kStep < end) {  // on their way while this step is computed
      [[unroll]] for (uint q = 0; q < kQuads; ++q) a[q] = load_a(m0 + m + q * next_m, k + kStep + k_a + q * next_k);
      b = load_b(n0 + n, k + kStep + k_b);
    }
    for (uint step = 0; step < kStep; ++step) {
      const uint from_b = step * kStrideB + product_col();
      const vec4 right = vec4(tile_b[from_b], tile_b[from_b + 1], tile_b[from_b + 2], tile_b[from_b + 3]);
      [[unroll]] for (uint i = 0; i < 4 * kQuads; ++i) sum[i] += tile_a[step * kStrideA + product_row(i)] * right;
    }
    if ((k - begin) % kChunk == kChunk - kStep || k + kStep >= end) {
      [[unroll]] for (uint i = 0; i < 4 * kQuads; ++i) {
        total[i] += sum[i];
        sum[i] = vec4(0);
      }
    }
  }
}
