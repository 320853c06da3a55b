// SPDX-License-Identifier: Apache-2.0
// For each row and group the candidate range with the least e G_p e^T.
//   losses: 128 pairs of row and candidate a block, their errors made as they are read; x over pairs, y over groups
//   choose: a warp per row and group; the first candidate with the least loss
// N K g C multiply-adds, g rounded up to 128; sums are fused f32, parameters and codes follow quantize_math.h.
#include "backends/cuda/kernels/clip_search.h"

#include "backends/cuda/kernels/group_range.cuh"
#include "backends/cuda/kernels/quadratic_tile.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_clip_losses, 256, ClipSearchArguments) {
  __shared__ GroupScale params[kTile];
  __shared__ Range ranges[kTile + 1];  // of the rows that the pairs of this block share
  __shared__ int row_at[kTile];        // of each pair, counted from the block's first row
  float* const shared = dynamic_shared<float>();
  const Scheme& scheme = args.scheme;
  const int64_t candidates = args.candidates.size;
  const int64_t pairs = args.w.rows * candidates;
  const int64_t first_pair = static_cast<int64_t>(blockIdx.x) * kTile;
  const int count = pairs - first_pair < kTile ? static_cast<int>(pairs - first_pair) : kTile;
  const int64_t first_row = first_pair / candidates;
  const int rows = static_cast<int>((first_pair + count - 1) / candidates - first_row) + 1;
  const int pair = static_cast<int>(threadIdx.x);
  if (pair < count) row_at[pair] = static_cast<int>((first_pair + pair) / candidates - first_row);
  for (int group = static_cast<int>(blockIdx.y); group < scheme.groups; group += static_cast<int>(gridDim.y)) {
    const int begin = group * scheme.group;
    const int length = scheme.k - begin < scheme.group ? scheme.k - begin : scheme.group;
    for (int r = warp(); r < rows; r += kTileThreads / kWarp) {
      const Range range = group_range(args.w.row(first_row + r) + begin, length);
      if (lane() == 0) ranges[r] = range;
    }
    __syncthreads();
    if (pair < count) {
      const Clip& clip = args.candidates.data()[(first_pair + pair) % candidates];
      params[pair] = params_from_range(clipped(ranges[row_at[pair]], clip), scheme);
    }
    __syncthreads();
    const auto errors = [&](int along, int column) {
      if (along >= count) return 0.0f;
      const float w = args.w.row(first_row + row_at[along])[begin + column];
      return __fsub_rn(dequantize_value(quantize_value(w, params[along], scheme.top), params[along]), w);
    };
    const auto gram = [&](int row, int column) { return args.gram.row(begin + row)[begin + column]; };
    float totals[8];
    quadratic_tile(errors, gram, length, count, shared, totals);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int along = part_of(i, tile_row());
      if (tile_column() == 0 && along < count) args.losses.row(first_pair + along)[group] = totals[i];
    }
    __syncthreads();  // the next group's parameters come into the same place
  }
}

SCROOGE_KERNEL(scrooge_clip_choose, 256, ClipSearchArguments) {
  const Scheme& scheme = args.scheme;
  const int64_t cell = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + warp();
  if (cell >= args.w.rows * scheme.groups) return;  // whole warps
  const int64_t row = cell / scheme.groups;
  const int group = static_cast<int>(cell - row * scheme.groups);
  const int begin = group * scheme.group;
  const int length = scheme.k - begin < scheme.group ? scheme.k - begin : scheme.group;
  const Range range = group_range(args.w.row(row) + begin, length);
  const int candidates = static_cast<int>(args.candidates.size);
  int best = lane() < candidates ? lane() : 0;
  float least = args.losses.row(row * candidates + best)[group];
  for (int i = lane() + kWarp; i < candidates; i += kWarp) {
    const float loss = args.losses.row(row * candidates + i)[group];
    if (loss < least) {
      least = loss;
      best = i;
    }
  }
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const float loss = __shfl_xor_sync(kWholeWarp, least, step);
    const int other = __shfl_xor_sync(kWholeWarp, best, step);
    if (loss < least || (loss == least && other < best)) {
      least = loss;
      best = other;
    }
  }
  if (lane() != 0) return;
  const GroupScale found = params_from_range(clipped(range, args.candidates.data()[best]), scheme);
  args.scales.row(row)[group] = found.scale;
  args.zeros.row(row)[group] = found.zero;
  args.error.row(row)[group] = least;
}

}  // namespace scrooge::backend::cuda
