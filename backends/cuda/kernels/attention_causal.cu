// SPDX-License-Identifier: Apache-2.0
// out = softmax(scale Q K^T, causal) V per sequence and head, in one pass over the keys with a running maximum and sum:
// no score leaves the chip. f32 throughout, so that a row's bits depend on its own sequence only.
//
// A block has a tile of queries of one head; x over (tile, sequence, head), the longest tiles first. It walks over
// tiles of 32 keys, K and then V in the same shared memory. Two threads in a row group of eight have the same rows:
// group r of 8 threads has rows r * R .. r * R + R - 1, of the scores columns t, t + 8, t + 16, t + 24 and of the
// output words of four columns t, t + 8, ... So a row's maximum and sum stay within eight neighbouring lanes. 4 T S d
// operations for T tokens, half of it masked: bound by arithmetic.
#include "backends/cuda/kernels/attention_causal.h"

#include "backends/cuda/kernels/elementwise.cuh"
#include "backends/cuda/kernels/kernel.cuh"

namespace scrooge::backend::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kKeys = AttentionTiles::kKeys;
constexpr int kScoreStride = kKeys + 4;

// Rows [first, first + rows) of one head into shared memory; beyond `end` and `width` zeros.
template <int kWidth>
__device__ __forceinline__ void load_tile(const MatrixView<const float>& from, int64_t first, int64_t end, int rows,
                                          int64_t column, int width, float* to) {
  constexpr int kStride = kWidth + 4;
  for (int i = static_cast<int>(threadIdx.x); i < rows * kWidth; i += kThreads) {
    const int r = i / kWidth;
    const int c = i % kWidth;
    const bool there = first + r < end && c < width;
    to[r * kStride + c] = there ? from.row(first + r)[column + c] : 0.0f;
  }
}

__device__ __forceinline__ float group_max(float value) {
#pragma unroll
  for (int step = 4; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(kWholeWarp, value, step));
  return value;
}
__device__ __forceinline__ float group_sum(float value) {
#pragma unroll
  for (int step = 4; step > 0; step /= 2) value += __shfl_xor_sync(kWholeWarp, value, step);
  return value;
}
__device__ __forceinline__ Four<float> four_at(const float* from) {
  return *reinterpret_cast<const Four<float>*>(from);
}

template <int kWidth, int kQueries>
__device__ __forceinline__ void attend(const AttentionArguments& args) {
  constexpr int kStride = kWidth + 4;
  constexpr int kRows = kQueries / 16;  // of a thread
  constexpr int kWords = kWidth / 32;   // of four output columns, of a thread
  float* const queries = dynamic_shared<float>();
  float* const keys = queries + kQueries * kStride;  // then values
  float* const scores = keys + kKeys * kStride;
  const int group = static_cast<int>(threadIdx.x) / 8;
  const int turn = static_cast<int>(threadIdx.x) % 8;
  const int row = group * kRows;

  const int64_t sequences = args.q.rows / args.sequence_length;
  const int64_t tiles = (args.sequence_length + kQueries - 1) / kQueries;
  const int64_t pairs = sequences * args.heads;
  const int64_t tile = tiles - 1 - static_cast<int64_t>(blockIdx.x) / pairs;
  const int64_t pair = static_cast<int64_t>(blockIdx.x) % pairs;
  const int64_t start = pair / args.heads * args.sequence_length;
  const auto head = static_cast<int>(pair % args.heads);
  const int64_t kv_column = static_cast<int64_t>(head / (args.heads / args.kv_heads)) * args.head_width;
  const int64_t q_column = static_cast<int64_t>(head) * args.head_width;
  const int64_t first = tile * kQueries;  // positions in the sequence
  const int64_t end = first + kQueries < args.sequence_length ? first + kQueries : args.sequence_length;

  load_tile<kWidth>(args.q, start + first, start + end, kQueries, q_column, args.head_width, queries);
  float most[kRows], total[kRows], out[kRows][kWords * 4];
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    most[i] = -HUGE_VALF;
    total[i] = 0;
#pragma unroll
    for (int j = 0; j < kWords * 4; ++j) out[i][j] = 0;
  }

  for (int64_t key = 0; key < end; key += kKeys) {
    __syncthreads();  // the values of the last round are read
    load_tile<kWidth>(args.k, start + key, start + end, kKeys, kv_column, args.head_width, keys);
    __syncthreads();
    float score[kRows][4];
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) score[i][j] = 0;
    }
    for (int c = 0; c < args.head_width; c += 4) {
      Four<float> q[kRows], k[4];
#pragma unroll
      for (int i = 0; i < kRows; ++i) q[i] = four_at(queries + (row + i) * kStride + c);
#pragma unroll
      for (int j = 0; j < 4; ++j) k[j] = four_at(keys + (turn + 8 * j) * kStride + c);
#pragma unroll
      for (int e = 0; e < 4; ++e) {
#pragma unroll
        for (int i = 0; i < kRows; ++i) {
#pragma unroll
          for (int j = 0; j < 4; ++j) score[i][j] = fmaf(q[i].at[e], k[j].at[e], score[i][j]);
        }
      }
    }
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      float greatest = most[i];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const bool seen = key + turn + 8 * j <= first + row + i;
        score[i][j] = seen ? __fmul_rn(score[i][j], args.scale) : -HUGE_VALF;
        greatest = fmaxf(greatest, score[i][j]);
      }
      greatest = group_max(greatest);  // finite from the first tile on: key 0 is seen by all
      const float shrink = expf(most[i] - greatest);
      most[i] = greatest;
      float sum = 0;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float weight = expf(score[i][j] - greatest);
        scores[(row + i) * kScoreStride + turn + 8 * j] = weight;
        sum += weight;
      }
      total[i] = fmaf(total[i], shrink, group_sum(sum));
#pragma unroll
      for (int j = 0; j < kWords * 4; ++j) out[i][j] = __fmul_rn(out[i][j], shrink);
    }
    __syncthreads();  // the keys are read
    load_tile<kWidth>(args.v, start + key, start + end, kKeys, kv_column, args.head_width, keys);
    __syncthreads();
    for (int c = 0; c < kKeys; c += 4) {
      Four<float> weight[kRows];
#pragma unroll
      for (int i = 0; i < kRows; ++i) weight[i] = four_at(scores + (row + i) * kScoreStride + c);
#pragma unroll
      for (int e = 0; e < 4; ++e) {
#pragma unroll
        for (int word = 0; word < kWords; ++word) {
          const Four<float> value = four_at(keys + (c + e) * kStride + turn * 4 + 32 * word);
#pragma unroll
          for (int i = 0; i < kRows; ++i) {
#pragma unroll
            for (int j = 0; j < 4; ++j) {
              out[i][word * 4 + j] = fmaf(weight[i].at[e], value.at[j], out[i][word * 4 + j]);
            }
          }
        }
      }
    }
  }

#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    if (first + row + i >= end) continue;
    float* const to = args.out.row(start + first + row + i) + q_column;
#pragma unroll
    for (int j = 0; j < kWords * 4; ++j) {
      const int column = turn * 4 + j / 4 * 32 + j % 4;
      if (column < args.head_width) to[column] = __fdiv_rn(out[i][j], total[i]);
    }
  }
}

}  // namespace

SCROOGE_KERNEL(scrooge_attention_64, kThreads, AttentionArguments) {
  attend<kAttention64.width, kAttention64.queries>(args);
}
SCROOGE_KERNEL(scrooge_attention_128, kThreads, AttentionArguments) {
  attend<kAttention128.width, kAttention128.queries>(args);
}
SCROOGE_KERNEL(scrooge_attention_256, kThreads, AttentionArguments) {
  attend<kAttention256.width, kAttention256.queries>(args);
}

}  // namespace scrooge::backend::cuda
