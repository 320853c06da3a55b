// SPDX-License-Identifier: Apache-2.0
// y = x U^T U, in the order of the steps:
//   gather: steps = x[:, order].                        256 threads, x over columns, y over rows
//   half:   half[:, j] = sum, i >= j, of steps[:, i] factor[j, i].
//   whole:  y[:, order[i]] = sum, j <= i, of half[:, j] factor[i, j].
// The products by product_tile.cuh, 128 x 128 tiles; x over columns, y over rows. A tile sums over the half of the
// factor that is not zero, rounded up to its 128 columns: 2 N K (K + 128) operations in all, in the order of the steps,
// so that a row is the same whatever comes with it. The tiles with the longest sums come first.
#include "backends/cuda/kernels/gram_solve.h"

#include "backends/cuda/kernels/product_tile.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_solve_gather, 256, SolveArguments) {
  const int64_t step = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (step >= args.x.cols) return;
  const int channel = args.order.data()[step];
  for (int64_t row = blockIdx.y; row < args.x.rows; row += gridDim.y) {
    args.steps.row(row)[step] = args.x.row(row)[channel];
  }
}

SCROOGE_KERNEL(scrooge_solve_half, 256, SolveArguments) {
  float* const shared = dynamic_shared<float>();
  const int size = static_cast<int>(args.x.cols);
  const int first = static_cast<int>(blockIdx.x) * kTile;
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kTile;
  const auto input = [&](int along, int step) {
    const int64_t row = first_row + along;
    return row < args.x.rows ? args.steps.row(row)[step] : 0.0f;
  };
  const auto factor = [&](int along, int step) {
    const int column = first + along;
    return column < size && column <= step ? args.factor.row(column)[step] : 0.0f;
  };
  float sums[8][8] = {};
  multiply_tile<FusedStep, true, true>(input, factor, first, size, {args.x.rows - first_row, size - first}, shared,
                                       sums);
  for_each_part(first_row, first, args.x.rows, size, sums,
                [&](int64_t row, int column, float sum) { args.half.row(row)[column] = sum; });
}

SCROOGE_KERNEL(scrooge_solve_whole, 256, SolveArguments) {
  float* const shared = dynamic_shared<float>();
  const int size = static_cast<int>(args.x.cols);
  const int first = static_cast<int>(gridDim.x - 1 - blockIdx.x) * kTile;
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kTile;
  const auto input = [&](int along, int step) {
    const int64_t row = first_row + along;
    return row < args.x.rows ? args.half.row(row)[step] : 0.0f;
  };
  const auto factor = [&](int along, int step) {
    const int column = first + along;
    return column < size && step <= column ? args.factor.row(column)[step] : 0.0f;
  };
  const int end = first + kTile < size ? first + kTile : size;
  float sums[8][8] = {};
  multiply_tile<FusedStep, true, true>(input, factor, 0, end, {args.x.rows - first_row, size - first}, shared, sums);
  const int32_t* const order = args.order.data();
  for_each_part(first_row, first, args.x.rows, size, sums,
                [&](int64_t row, int column, float sum) { args.y.row(row)[order[column]] = sum; });
}

}  // namespace scrooge::backend::cuda
