// SPDX-License-Identifier: Apache-2.0
// e G_p e^T for 128 vectors e at once, G_p the g-by-g block of a symmetric G on its diagonal: a product tile, whose
// columns are then multiplied with e once more and summed. Only half of G_p is used when it is wider than a tile.
#pragma once

#include "backends/cuda/kernels/product_tile.cuh"

namespace scrooge::backend::cuda {

// The sum of a tile's row over the 16 threads that share it, in a fixed order; all get it.
__device__ __forceinline__ float sum_of_row(float value) {
  for (int step = 8; step > 0; step /= 2) value += __shfl_xor_sync(kWholeWarp, value, step);
  return value;
}

// totals[i] of row part_of(i, tile_row()), the same in all threads of that row. e(row of the tile, column of the group)
// is 0 beyond the `rows` that are there; gram(row, column) are of the block.
template <typename Errors, typename Gram>
__device__ __forceinline__ void quadratic_tile(const Errors& e, const Gram& gram, int length, int64_t rows,
                                               float* shared, float (&totals)[8]) {
#pragma unroll
  for (int i = 0; i < 8; ++i) totals[i] = 0;
  for (int first = 0; first < length; first += kTile) {
    const auto columns = [&](int along, int step) {
      const int column = first + along;
      return column < length ? gram(step, column) : 0.0f;
    };
    float sums[8][8] = {};
    const TileEdge edge{rows, length - first};
    multiply_tile<FusedStep, true, false>(e, columns, 0, first, edge, shared, sums);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
#pragma unroll
      for (int j = 0; j < 8; ++j) sums[i][j] *= 2.0f;  // what stands on the other side of the diagonal
    }
    multiply_tile<FusedStep, true, false>(e, columns, first, first + kTile < length ? first + kTile : length, edge,
                                          shared, sums);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const int column = first + part_of(j, tile_column());
        if (column < length) totals[i] = fmaf(sums[i][j], e(part_of(i, tile_row()), column), totals[i]);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 8; ++i) totals[i] = sum_of_row(totals[i]);
}

}  // namespace scrooge::backend::cuda
