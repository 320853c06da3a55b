// SPDX-License-Identifier: Apache-2.0
// S = E G of codes: where refining and refitting start. E is made as it is read, never stored. product_tile.cuh; x over
// columns, y over rows. N K^2 fused multiply-adds.
#include "backends/cuda/kernels/code_error.cuh"
#include "backends/cuda/kernels/product_tile.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_code_slopes, 256, CodeSlopesArguments) {
  float* const shared = dynamic_shared<float>();
  const int first_column = static_cast<int>(blockIdx.x) * kTile;
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kTile;
  const int64_t rows = args.slopes.rows;
  const int k = args.error.scheme.k;
  const auto errors = [&](int along, int step) {
    const int64_t row = first_row + along;
    return row < rows ? code_error(args.error, row, step) : 0.0f;
  };
  const auto gram = [&](int along, int step) {
    const int column = first_column + along;
    return column < k ? args.gram.row(step)[column] : 0.0f;
  };
  float sums[8][8] = {};
  multiply_tile<FusedStep, true, false>(errors, gram, 0, k, {rows - first_row, k - first_column}, shared, sums);
  for_each_part(first_row, first_column, rows, k, sums,
                [&](int64_t row, int column, float sum) { args.slopes.row(row)[column] = sum; });
}

}  // namespace scrooge::backend::cuda
