// SPDX-License-Identifier: Apache-2.0
// A 128 x 128 tile of an f32 matrix product, for what no library call does: factors made as they are read, sums in a
// fixed order, or without fused steps. 256 threads, each with an 8 x 8 part in registers; 16 columns of a and rows of b
// at a time go through shared memory, the next ones on their way meanwhile. 256 multiply-adds per 4 reads of shared
// memory.
//
// Thread t = (t / 16, t % 16) has rows part_of(i, t / 16) and columns part_of(i, t % 16), i in 0..7: two runs of four,
// so that neighbours read neighbouring words.
#pragma once

#include "backends/cuda/kernels/kernel.cuh"

namespace scrooge::backend::cuda {

inline constexpr int kTile = 128;      // rows and columns
inline constexpr int kTileDepth = 16;  // of one step
inline constexpr int kTileThreads = 256;
inline constexpr int kTileStride = kTile + 4;  // of shared memory: transposed writes meet two banks, not one
inline constexpr int kTileSharedFloats = 2 * kTileDepth * kTileStride;

__device__ __forceinline__ int tile_row() { return static_cast<int>(threadIdx.x) / 16; }
__device__ __forceinline__ int tile_column() { return static_cast<int>(threadIdx.x) % 16; }
__device__ __forceinline__ int part_of(int i, int turn) { return i < 4 ? turn * 4 + i : kTile / 2 + turn * 4 + i - 4; }

// Rows and columns of a tile that are there; more than kTile says all.
struct TileEdge {
  int64_t rows, columns;
};

struct FusedStep {
  static __device__ __forceinline__ float of(float sum, float a, float b) { return fmaf(a, b, sum); }
};
// sum - a b, both rounded: what GPTQ's recurrence says.
struct SubtractStep {
  static __device__ __forceinline__ float of(float sum, float a, float b) { return __fsub_rn(sum, __fmul_rn(a, b)); }
};

// The 16 x 128 pieces of a factor: 2048 elements, eight a thread. With kDepthFirst neighbouring threads have
// neighbouring steps of one row or column, else neighbouring rows or columns of one step: as the factor lies in memory.
template <bool kDepthFirst>
struct Piece {
  float at[8];

  static __device__ __forceinline__ int depth(int i) {
    const int index = static_cast<int>(threadIdx.x) + i * kTileThreads;
    return kDepthFirst ? index % kTileDepth : index / kTile;
  }
  static __device__ __forceinline__ int along(int i) {
    const int index = static_cast<int>(threadIdx.x) + i * kTileThreads;
    return kDepthFirst ? index / kTileDepth : index % kTile;
  }
  template <typename Factor>
  __device__ __forceinline__ void read(const Factor& factor, int begin, int end) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int step = begin + depth(i);
      at[i] = step < end ? factor(along(i), step) : 0.0f;
    }
  }
  __device__ __forceinline__ void put(float* shared) const {
#pragma unroll
    for (int i = 0; i < 8; ++i) shared[depth(i) * kTileStride + along(i)] = at[i];
  }
};

__device__ __forceinline__ void read_eight(const float* shared, int turn, float (&to)[8]) {
  const float4 low = *reinterpret_cast<const float4*>(shared + turn * 4);
  const float4 high = *reinterpret_cast<const float4*>(shared + kTile / 2 + turn * 4);
  to[0] = low.x, to[1] = low.y, to[2] = low.z, to[3] = low.w;
  to[4] = high.x, to[5] = high.y, to[6] = high.z, to[7] = high.w;
}

// sums[i][j] = Step over the steps begin..end of a(row, step) and b(column, step), in order; rows and columns are
// counted within the tile, and the factors give 0 beyond their edges. Threads whose part lies beyond `edge` leave it as
// it is. `shared` has kTileSharedFloats. Ends with a barrier.
template <typename Step, bool kDepthFirstA, bool kDepthFirstB, typename A, typename B>
__device__ __forceinline__ void multiply_tile(const A& a, const B& b, int begin, int end, const TileEdge& edge,
                                              float* shared, float (&sums)[8][8]) {
  const bool active = part_of(0, tile_row()) < edge.rows && part_of(0, tile_column()) < edge.columns;
  float* const shared_a = shared;
  float* const shared_b = shared + kTileDepth * kTileStride;
  Piece<kDepthFirstA> piece_a;
  Piece<kDepthFirstB> piece_b;
  piece_a.read(a, begin, end);
  piece_b.read(b, begin, end);
  for (int at = begin; at < end; at += kTileDepth) {
    piece_a.put(shared_a);
    piece_b.put(shared_b);
    __syncthreads();
    if (at + kTileDepth < end) {
      piece_a.read(a, at + kTileDepth, end);
      piece_b.read(b, at + kTileDepth, end);
    }
    const int depth = !active ? 0 : end - at < kTileDepth ? end - at : kTileDepth;
    if (depth == kTileDepth) {
#pragma unroll
      for (int step = 0; step < kTileDepth; ++step) {
        float left[8], right[8];
        read_eight(shared_a + step * kTileStride, tile_row(), left);
        read_eight(shared_b + step * kTileStride, tile_column(), right);
#pragma unroll
        for (int i = 0; i < 8; ++i) {
#pragma unroll
          for (int j = 0; j < 8; ++j) sums[i][j] = Step::of(sums[i][j], left[i], right[j]);
        }
      }
    } else {
      for (int step = 0; step < depth; ++step) {
        float left[8], right[8];
        read_eight(shared_a + step * kTileStride, tile_row(), left);
        read_eight(shared_b + step * kTileStride, tile_column(), right);
#pragma unroll
        for (int i = 0; i < 8; ++i) {
#pragma unroll
          for (int j = 0; j < 8; ++j) sums[i][j] = Step::of(sums[i][j], left[i], right[j]);
        }
      }
    }
    __syncthreads();
  }
}

// body(row, column, part of sums) for each of this thread's 8 x 8 parts that is there: of the tile that starts at
// `first_row` and `first_column` in a matrix of `rows` by `columns`.
template <typename Body>
__device__ __forceinline__ void for_each_part(int64_t first_row, int first_column, int64_t rows, int columns,
                                              float (&sums)[8][8], const Body& body) {
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int64_t row = first_row + part_of(i, tile_row());
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const int column = first_column + part_of(j, tile_column());
      if (row < rows && column < columns) body(row, column, sums[i][j]);
    }
  }
}

}  // namespace scrooge::backend::cuda
