// SPDX-License-Identifier: Apache-2.0
// Scales refitted group after group of a row. Slopes start from E G (code_slopes.cu) and follow every group that moves:
//   curvature: c_p G_pp c_p^T of all groups, which no scale changes. quadratic_tile.cuh; x over rows, y over groups
//   move:      one group of every row, a warp each: f64 sums of c_p with its slopes, the new scale, how E moved
//   spread:    slopes[:, later] += moved G[p, later]. product_tile.cuh; x over columns, y over rows
// 1.5 N K^2 fused multiply-adds with those of E G.
#include "backends/cuda/kernels/refit_scales.h"

#include "backends/cuda/kernels/code_error.cuh"
#include "backends/cuda/kernels/quadratic_tile.cuh"
#include "backends/cuda/kernels/warp.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_refit_curvature, 256, RefitScalesArguments) {
  float* const shared = dynamic_shared<float>();
  const Scheme& scheme = args.error.scheme;
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * kTile;
  const int64_t rows = args.scales.rows;
  for (int group = static_cast<int>(blockIdx.y); group < scheme.groups; group += static_cast<int>(gridDim.y)) {
    const int begin = group * scheme.group;
    const int length = scheme.k - begin < scheme.group ? scheme.k - begin : scheme.group;
    const auto levels = [&](int along, int column) {
      const int64_t row = first_row + along;
      if (row >= rows) return 0.0f;
      return __fsub_rn(static_cast<float>(args.error.codes.row(row)[begin + column]), args.error.zeros.row(row)[group]);
    };
    const auto gram = [&](int row, int column) { return args.gram.row(begin + row)[begin + column]; };
    float totals[8];
    quadratic_tile(levels, gram, length, rows - first_row, shared, totals);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int64_t row = first_row + part_of(i, tile_row());
      if (tile_column() == 0 && row < rows) args.curvature.row(row)[group] = totals[i];
    }
  }
}

SCROOGE_KERNEL(scrooge_refit_move, 256, RefitScalesArguments) {
  const Scheme& scheme = args.error.scheme;
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + warp();
  if (row >= args.scales.rows) return;  // whole warps
  const int begin = args.group * scheme.group;
  const int length = scheme.k - begin < scheme.group ? scheme.k - begin : scheme.group;
  const Code* const codes = args.error.codes.row(row) + begin;
  const float zero = args.error.zeros.row(row)[args.group];
  const float* const slopes = args.slopes.row(row) + begin;
  double slope = 0;
  for (int i = lane(); i < length; i += kWarp) {
    slope += static_cast<double>(static_cast<float>(codes[i]) - zero) * slopes[i];
  }
  slope = warp_sum(slope);
  const float before = args.scales.row(row)[args.group];
  const double curvature = args.curvature.row(row)[args.group];
  const float after = refitted_scale(before, slope, curvature, scheme.scale_dtype);
  __syncwarp();  // all lanes have read the scale
  if (lane() == 0) args.scales.row(row)[args.group] = after;
  float* const moved = args.moved.row(row);
  const GroupScale old_params{before, zero};
  const GroupScale new_params{after, zero};
  for (int i = lane(); i < length; i += kWarp) {
    const float code = static_cast<float>(codes[i]);
    moved[i] = __fsub_rn(dequantize_value(code, new_params), dequantize_value(code, old_params));
  }
}

SCROOGE_KERNEL(scrooge_refit_spread, 256, RefitScalesArguments) {
  float* const shared = dynamic_shared<float>();
  const Scheme& scheme = args.error.scheme;
  const int begin = args.group * scheme.group;
  const int end = begin + scheme.group;  // not the last group
  const int first_column = end + static_cast<int>(blockIdx.x) * kTile;
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kTile;
  const int64_t rows = args.scales.rows;
  float sums[8][8] = {};
  for_each_part(first_row, first_column, rows, scheme.k, sums,
                [&](int64_t row, int column, float& sum) { sum = args.slopes.row(row)[column]; });
  const auto moved = [&](int along, int step) {
    const int64_t row = first_row + along;
    return row < rows ? args.moved.row(row)[step] : 0.0f;
  };
  const auto gram = [&](int along, int step) {
    const int column = first_column + along;
    return column < scheme.k ? args.gram.row(begin + step)[column] : 0.0f;
  };
  multiply_tile<FusedStep, true, false>(moved, gram, 0, scheme.group, {rows - first_row, scheme.k - first_column},
                                        shared, sums);
  for_each_part(first_row, first_column, rows, scheme.k, sums,
                [&](int64_t row, int column, float sum) { args.slopes.row(row)[column] = sum; });
}

}  // namespace scrooge::backend::cuda
