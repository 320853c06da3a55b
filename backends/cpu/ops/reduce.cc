// SPDX-License-Identifier: Apache-2.0
// One partial result per 64 rows, added in order.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

double reduce_row(const ReduceParams& p, int64_t r) {
  const float* a = row_of<float>(p.a, r);
  switch (p.kind) {
    case ReduceParams::Kind::kCountNonFinite: return static_cast<double>(count_non_finite(a, p.a.cols));
    case ReduceParams::Kind::kSumSquares: return dot_f64(a, a, p.a.cols);
    case ReduceParams::Kind::kDot: return dot_f64(a, row_of<float>(p.b, r), p.a.cols);
    case ReduceParams::Kind::kSumSquaredDiff: return squared_difference_f64(a, row_of<float>(p.b, r), p.a.cols);
  }
  return 0;
}

}  // namespace

Status CpuDevice::reduce(const ReduceParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const Tiling rows(p.a.rows, 64, 1);
  std::vector<double> partial(static_cast<size_t>(rows.count));
  SCROOGE_RETURN_IF_ERROR(pool_.parallel_for(rows.count, [&](int64_t index, int) {
    double sum = 0;
    for (int64_t r = 0; r < rows.length(index); ++r) sum += reduce_row(p, rows.begin(index) + r);
    partial[static_cast<size_t>(index)] = sum;
  }));
  *p.result = 0;
  for (const double sum : partial) *p.result += sum;
  return {};
}

}  // namespace scrooge::backend::cpu
