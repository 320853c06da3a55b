// SPDX-License-Identifier: Apache-2.0
// Tasks are strips of 64 columns; each sums its columns over all rows in order, so nothing has to be combined.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/column_sums.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

constexpr int64_t kStrip = 64;

void add_strip(const ColumnStatsParams& p, int64_t begin, int64_t count) {
  double sum[kStrip] = {};
  double sum_abs[kStrip] = {};
  float max_abs[kStrip] = {};
  add_column_sums(row_of<float>(p.x, 0) + begin, p.x.stride, p.x.rows, count, sum, sum_abs, max_abs);
  const auto add = [&](const Vector& to, const double* from) {
    if (!to) return;
    float* out = data_of<float>(to) + begin;
    for (int64_t c = 0; c < count; ++c) out[c] = static_cast<float>(static_cast<double>(out[c]) + from[c]);
  };
  add(p.sum, sum);
  add(p.sum_abs, sum_abs);
  if (!p.max_abs) return;
  float* out = data_of<float>(p.max_abs) + begin;
  for (int64_t c = 0; c < count; ++c) out[c] = std::max(out[c], max_abs[c]);
}

}  // namespace

Status CpuDevice::column_stats(const ColumnStatsParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t strips = (p.x.cols + kStrip - 1) / kStrip;
  return pool_.parallel_for(
      strips, [&](int64_t strip, int) { add_strip(p, strip * kStrip, std::min(kStrip, p.x.cols - strip * kStrip)); });
}

}  // namespace scrooge::backend::cpu
