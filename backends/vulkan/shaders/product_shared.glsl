// SPDX-License-Identifier: Apache-2.0
// The product of product.glsl for cards, in less than 16 KiB of shared memory: an invocation of 256 has 4 or 8 rows by
// 4 columns in registers; the next steps are on their way while some are computed.

const uint kStrideA = kBlockRows + 4, kStrideB = kBlockCols + 4;  // + 4: fewer conflicts of banks

shared float tile_a[kStep * kStrideA];
shared float tile_b[kStep * kStrideB];

uint product_row(uint i) { return (i / 4) * 64 + gl_LocalInvocationID.x / 16 * 4 + i % 4; }
uint product_col(uint i) { return gl_LocalInvocationID.x % 16 * 4; }

void multiply(uint m0, uint n0, uint begin, uint end) {
  const uint local = gl_LocalInvocationID.x;
  const uint k_a = A_ALONG_K == 1 ? local % 4 * 4 : local / (kBlockRows / 4);
  const uint k_b = B_ALONG_K == 1 ? local % 4 * 4 : local / (kBlockCols / 4);
  const uint m = A_ALONG_K == 1 ? local / 4 : local % (kBlockRows / 4) * 4;
  const uint n = B_ALONG_K == 1 ? local / 4 : local % (kBlockCols / 4) * 4;
  // From one load of A to the invocation's next.
  const uint next_m = A_ALONG_K == 1 ? 64 : 0, next_k = A_ALONG_K == 1 ? 0 : 1024 / kBlockRows;
  k_end = end;
  vec4 sum[kTotals], a[kQuads], b;
  [[unroll]] for (uint i = 0; i < kTotals; ++i) sum[i] = vec4(0);
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
      const uint from_b = step * kStrideB + product_col(0);
      const vec4 right = vec4(tile_b[from_b], tile_b[from_b + 1], tile_b[from_b + 2], tile_b[from_b + 3]);
      [[unroll]] for (uint i = 0; i < kTotals; ++i) sum[i] += tile_a[step * kStrideA + product_row(i)] * right;
    }
    if ((k - begin) % kChunk == kChunk - kStep || k + kStep >= end) {
      [[unroll]] for (uint i = 0; i < kTotals; ++i) {
        total[i] += sum[i];
        sum[i] = vec4(0);
      }
    }
  }
}
