// SPDX-License-Identifier: Apache-2.0
// Sums and greatest magnitudes of the columns of x[T,K], in f64. First chunks of rows: a block has 32 columns, its 8
// warps take rows in turn and are added in warp order; x over columns, y over chunks. Then the chunks, in order. Bound
// by memory: 4 bytes an element.
#include "backends/cuda/kernels/column_stats.h"

#include "backends/cuda/kernels/kernel.cuh"

namespace scrooge::backend::cuda {
namespace {

struct Totals {
  double sum_abs, sum, max_abs;
};

__device__ __forceinline__ double greater(double a, double b) { return a < b ? b : a; }

}  // namespace

SCROOGE_KERNEL(scrooge_column_stats, 256, ColumnStatsArguments) {
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kWarp + lane();
  const int64_t begin = static_cast<int64_t>(blockIdx.y) * args.chunk_rows;
  const int64_t end = begin + args.chunk_rows < args.x.rows ? begin + args.chunk_rows : args.x.rows;
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  Totals mine{0, 0, 0};
  if (column < args.x.cols) {
    for (int64_t row = begin + warp(); row < end; row += warps) {
      const double value = static_cast<double>(args.x.row(row)[column]);
      mine = {mine.sum_abs + fabs(value), mine.sum + value, greater(mine.max_abs, fabs(value))};
    }
  }
  Totals* const room = dynamic_shared<Totals>();
  room[threadIdx.x] = mine;
  __syncthreads();
  if (warp() == 0 && column < args.x.cols) {
    Totals all = room[lane()];
    for (int w = 1; w < warps; ++w) {
      const Totals& other = room[w * kWarp + lane()];
      all = {all.sum_abs + other.sum_abs, all.sum + other.sum, greater(all.max_abs, other.max_abs)};
    }
    const int64_t first = static_cast<int64_t>(blockIdx.y) * 3;
    args.partial.row(first)[column] = all.sum_abs;
    args.partial.row(first + 1)[column] = all.sum;
    args.partial.row(first + 2)[column] = all.max_abs;
  }
}

SCROOGE_KERNEL(scrooge_column_totals, 256, ColumnTotalsArguments) {
  const int64_t column = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= args.partial.cols) return;
  Totals all{0, 0, 0};
  for (int64_t row = 0; row < args.partial.rows; row += 3) {
    all = {all.sum_abs + args.partial.row(row)[column], all.sum + args.partial.row(row + 1)[column],
           greater(all.max_abs, args.partial.row(row + 2)[column])};
  }
  const auto add = [&](const VectorView<float>& to, double value) {
    if (to.address != 0) to.data()[column] = static_cast<float>(static_cast<double>(to.data()[column]) + value);
  };
  add(args.sum_abs, all.sum_abs);
  add(args.sum, all.sum);
  if (args.max_abs.address != 0) {
    float& to = args.max_abs.data()[column];
    to = static_cast<float>(greater(static_cast<double>(to), all.max_abs));
  }
}

}  // namespace scrooge::backend::cuda
