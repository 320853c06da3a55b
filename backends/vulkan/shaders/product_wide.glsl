// SPDX-License-Identifier: Apache-2.0
// The product of product.glsl for lavapipe. There every read of memory, shared or not, is a loop over the lanes of a
// vector register, whatever the lane reads: so shared memory has the elements of a row along k, read 8 at a time as
// integers of 64 bits, and an invocation, of which there are 128, has 4 or 8 rows by 8 columns.

const uint kRows = 4 * kQuads;  // of an invocation

shared u64vec4 tile[(kBlockRows + kBlockCols) * 2];  // [row of A, then of B][half of kStep]

uint product_row(uint i) { return gl_LocalInvocationID.x / 8 * kRows + i / 2; }
uint product_col(uint i) { return gl_LocalInvocationID.x % 8 * 8 + i % 2 * 4; }

u64vec4 packed(vec4 low, vec4 high) {
  return u64vec4(packUint2x32(floatBitsToUint(low.xy)), packUint2x32(floatBitsToUint(low.zw)),
                 packUint2x32(floatBitsToUint(high.xy)), packUint2x32(floatBitsToUint(high.zw)));
}

// Stores half `half` of kStep from k on: of row `at`, or, not along k, of row `at` and the three after it.
#define STORE_ROW(load, first, at, k, half) \
  tile[(first + at) * 2 + half] = packed(load(at, k + half * 8), load(at, k + half * 8 + 4));
#define STORE_FOUR_ROWS(load, first, at, k, half)                                                          \
  {                                                                                                        \
    mat4 low, high;                                                                                        \
    [[unroll]] for (uint i = 0; i < 4; ++i) {                                                              \
      low[i] = load(at, k + half * 8 + i);                                                                 \
      high[i] = load(at, k + half * 8 + 4 + i);                                                            \
    }                                                                                                      \
    low = transpose(low);                                                                                  \
    high = transpose(high);                                                                                \
    [[unroll]] for (uint i = 0; i < 4; ++i) tile[(first + at + i) * 2 + half] = packed(low[i], high[i]);   \
  }

uint first_m, first_n;
vec4 tile_load_a(uint m, uint k) { return load_a(first_m + m, k); }
vec4 tile_load_b(uint n, uint k) { return load_b(first_n + n, k); }

void load_tile(uint k) {
  const uint local = gl_LocalInvocationID.x;
#if A_ALONG_K == 1
  [[unroll]] for (uint i = 0; i < kQuads; ++i) STORE_ROW(tile_load_a, 0, i * 64 + local / 2, k, local % 2)
#else
  if (local < kBlockRows / 2) STORE_FOUR_ROWS(tile_load_a, 0, local / 2 * 4, k, local % 2)
#endif
#if B_ALONG_K == 1
  STORE_ROW(tile_load_b, kBlockRows, local / 2, k, local % 2)
#else
  if (local < kBlockCols / 2) STORE_FOUR_ROWS(tile_load_b, kBlockRows, local / 2 * 4, k, local % 2)
#endif
}

void multiply(uint m0, uint n0, uint begin, uint end) {
  first_m = m0;
  first_n = n0;
  k_end = end;
  vec4 sum[kTotals];
  [[unroll]] for (uint i = 0; i < kTotals; ++i) sum[i] = vec4(0);
  for (uint k = begin; k < end; k += kStep) {
    barrier();
    load_tile(k);
    barrier();
    for (uint part = 0; part < 2; ++part) {
      vec4 right[16];  // of 8 steps, 8 columns each
      [[unroll]] for (uint c = 0; c < 8; ++c) {
        const u64vec4 eight = tile[(kBlockRows + product_col(0) + c) * 2 + part];
        [[unroll]] for (uint i = 0; i < 4; ++i) {
          const vec2 two = uintBitsToFloat(unpackUint2x32(eight[i]));
          right[i * 4 + c / 4][c % 4] = two.x;
          right[i * 4 + 2 + c / 4][c % 4] = two.y;
        }
      }
      [[unroll]] for (uint r = 0; r < kRows; ++r) {
        const u64vec4 eight = tile[(product_row(0) + r) * 2 + part];
        [[unroll]] for (uint i = 0; i < 4; ++i) {
          const vec2 two = uintBitsToFloat(unpackUint2x32(eight[i]));
          [[unroll]] for (uint c = 0; c < 2; ++c) {
            sum[r * 2 + c] += two.x * right[i * 4 + c];
            sum[r * 2 + c] += two.y * right[i * 4 + 2 + c];
          }
        }
      }
    }
    if ((k - begin) % kChunk == kChunk - kStep || k + kStep >= end) {
      [[unroll]] for (uint i = 0; i < kTotals; ++i) {
        total[i] += sum[i];
        sum[i] = vec4(0);
      }
    }
  }
}
