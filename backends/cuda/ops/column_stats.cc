// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels/column_stats.h"

#include <algorithm>

#include "backends/cuda/ops/scratch_parts.h"
#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

constexpr int64_t kMostChunks = 64;

}  // namespace

uint64_t column_stats_scratch(int64_t k) {
  ScratchCarver carver;
  carver.take<double>(3 * kMostChunks * k);
  return carver.used();
}

Status CudaDevice::column_stats(const ColumnStatsParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.x.rows == 0 || p.x.cols == 0) return {};
  return run("column_stats", {p.x.buffer, p.sum_abs.buffer, p.sum.buffer, p.max_abs.buffer}, [&](Work& work) -> Status {
    constexpr int64_t kLeastRows = 64;
    const int64_t chunk_rows = std::max(kLeastRows, ceil_div(p.x.rows, kMostChunks));
    const int64_t chunks = ceil_div(p.x.rows, chunk_rows);
    SCROOGE_ASSIGN_OR_RETURN(const CuAddress scratch, work.scratch(column_stats_scratch(p.x.cols)));
    const ColumnStatsArguments parts{view<const float>(p.x), {scratch, 3 * chunks, p.x.cols, p.x.cols}, chunk_rows};
    SCROOGE_RETURN_IF_ERROR(work.launch({"column_stats", "scrooge_column_stats"},
                                        {256, ceil_div(p.x.cols, 32), chunks, 1, 256 * 3 * sizeof(double)}, parts));
    const ColumnTotalsArguments totals{
        {scratch, 3 * chunks, p.x.cols, p.x.cols}, view<float>(p.sum_abs), view<float>(p.sum), view<float>(p.max_abs)};
    return work.launch({"column_stats", "scrooge_column_totals"}, {256, ceil_div(p.x.cols, 256)}, totals);
  });
}

}  // namespace scrooge::backend::cuda
