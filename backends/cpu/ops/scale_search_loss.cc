// SPDX-License-Identifier: Apache-2.0
// Tasks are (candidate, tile of up to 192 rows); each forms D for its rows and takes their quadratic forms. The parts
// of the rows are added in f64, in row order within a tile and tile order within a candidate.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "backends/cpu/quadratic_form.h"
#include "backends/cpu/simd/quantize_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

struct Workspace {
  Workspace(Carver& carver, int64_t rows, int64_t k, bool fast) {
    inverse = carver.take<float>(k);
    scaled = carver.take<float>(k);
    losses = carver.take<double>(rows);
    difference = carver.take<float>(rows * k);
    rest = carver.take<std::byte>(static_cast<int64_t>(quadratic_form_scratch(rows, k, fast)));
  }
  float* inverse;
  float* scaled;
  double* losses;
  float* difference;
  std::byte* rest;
};

}  // namespace

uint64_t scale_search_scratch(int64_t k) {
  Carver carver;
  const Workspace space(carver, quadratic_form_rows(k), k, true);
  return carver.used();
}

Status CpuDevice::scale_search_loss(const ScaleSearchLossParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  std::fill(p.loss.begin(), p.loss.end(), 0.0);
  const int64_t k = p.w.cols;
  if (p.w.rows == 0 || k == 0) return {};
  const Execution context = execution();
  const bool fast = context.fast(p.precision);
  const Tiling rows(p.w.rows, quadratic_form_rows(k), 1);
  Carver sizes;
  const Workspace sized(sizes, rows.size, k, fast);
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(0, sizes.used()));
  std::vector<double> partial(static_cast<size_t>(p.candidates.rows * rows.count));
  const auto run_tile = [&](int64_t index, int worker) {
    Carver carver(scratch_.worker(worker));
    const Workspace space(carver, rows.size, k, fast);
    const float* s = row_of<float>(p.candidates, index / rows.count);
    const int64_t first = rows.begin(index % rows.count);
    const int64_t count = rows.length(index % rows.count);
    for (int64_t i = 0; i < k; ++i) space.inverse[i] = 1.0f / s[i];
    for (int64_t r = 0; r < count; ++r) {
      scaled_error_row(row_of<float>(p.w, first + r), s, space.inverse, k, p.spec, space.scaled,
                       space.difference + r * k);
    }
    const QuadraticForm form{count, k, space.difference, row_of<float>(p.gram, 0), p.gram.stride, fast};
    SCROOGE_RETURN_IF_ERROR(quadratic_form(context, worker, form, space.rest, space.losses));
    double sum = 0;
    for (int64_t r = 0; r < count; ++r) {
      const double weight = p.row_weight ? static_cast<double>(data_of<float>(p.row_weight)[first + r]) : 1.0;
      sum += weight * space.losses[r];
    }
    partial[static_cast<size_t>(index)] = sum;
    return Status();
  };
  SCROOGE_RETURN_IF_ERROR(context.for_each(static_cast<int64_t>(partial.size()), run_tile));
  for (size_t i = 0; i < partial.size(); ++i) p.loss[i / static_cast<size_t>(rows.count)] += partial[i];
  return {};
}

}  // namespace scrooge::backend::cpu
