// SPDX-License-Identifier: Apache-2.0
// Tasks are (tile of rows, group). The errors of all candidates of all rows of the tile make one matrix, so that the
// group's block of G is multiplied at full speed; a candidate whose scale and zero an earlier one has can only tie with
// it, and is left out.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "backends/cpu/ops/tile_sizes.h"
#include "backends/cpu/quadratic_form.h"
#include "backends/cpu/simd/quantize_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

struct Workspace {
  Workspace(Carver& carver, int64_t rows, int64_t candidates, int64_t group) {
    params = carver.take<GroupParams>(rows * candidates);
    losses = carver.take<double>(rows * candidates);
    begin = carver.take<int64_t>(rows + 1);
    error = carver.take<float>(rows * candidates * group);
    rest = carver.take<std::byte>(static_cast<int64_t>(quadratic_form_scratch(rows * candidates, group, false)));
  }
  GroupParams* params;  // of the distinct candidates, row after row
  double* losses;
  int64_t* begin;  // of each row's candidates in the two above
  float* error;
  std::byte* rest;
};

// Appends the distinct candidates of one group at `at`; returns the end.
int64_t add_candidates(const ClipSearchParams& p, const float* w, int64_t group, const Workspace& space, int64_t at) {
  const int64_t first = at;
  const auto top = static_cast<float>(p.spec.max_code());
  const ValueRange range = row_range(w, group);
  for (const ClipCandidate& candidate : p.candidates) {
    const ValueRange clipped = clipped_range(range, candidate, p.rule);
    const GroupParams params = params_from_range(clipped.low, clipped.high, p.spec);
    const bool known = std::any_of(space.params + first, space.params + at, [&](const GroupParams& earlier) {
      return earlier.scale == params.scale && earlier.zero == params.zero;
    });
    if (known) continue;
    space.params[at] = params;
    quantize_error_row(w, group, params, top, space.error + at * group);
    ++at;
  }
  return at;
}

void store_best(const ClipSearchParams& p, int64_t n, int64_t g, const Workspace& space, int64_t begin, int64_t end) {
  int64_t best = begin;
  for (int64_t i = begin + 1; i < end; ++i) {
    if (space.losses[i] < space.losses[best]) best = i;
  }
  row_of<float>(p.scales, n)[g] = space.params[best].scale;
  row_of<float>(p.zeros, n)[g] = space.params[best].zero;
  row_of<float>(p.error, n)[g] = static_cast<float>(space.losses[best]);
}

}  // namespace

uint64_t clip_search_scratch(int64_t group, int64_t candidates) {
  Carver carver;
  const Workspace space(carver, clip_rows(group, candidates), candidates, group);
  return carver.used();
}

Status CpuDevice::clip_search(const ClipSearchParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  if (p.w.rows == 0 || k == 0) return {};
  const Execution context = execution();
  const auto candidates = static_cast<int64_t>(p.candidates.size());
  const int64_t group = p.spec.group_length(k);
  const Tiling rows(p.w.rows, clip_rows(group, candidates), 1);
  Carver sizes;
  const Workspace sized(sizes, rows.size, candidates, group);
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(0, sizes.used()));
  return context.for_each(rows.count * p.scales.cols, [&](int64_t index, int worker) {
    Carver carver(scratch_.worker(worker));
    const Workspace space(carver, rows.size, candidates, group);
    const int64_t first = rows.begin(index / p.scales.cols);
    const int64_t count = rows.length(index / p.scales.cols);
    const int64_t g = index % p.scales.cols;
    const int64_t column = g * group;
    const int64_t width = std::min(group, k - column);
    int64_t at = 0;
    for (int64_t r = 0; r < count; ++r) {
      space.begin[r] = at;
      at = add_candidates(p, row_of<float>(p.w, first + r) + column, width, space, at);
    }
    space.begin[count] = at;
    const QuadraticForm form{at, width, space.error, row_of<float>(p.gram, column) + column, p.gram.stride, false};
    SCROOGE_RETURN_IF_ERROR(quadratic_form(context, worker, form, space.rest, space.losses));
    for (int64_t r = 0; r < count; ++r) store_best(p, first + r, g, space, space.begin[r], space.begin[r + 1]);
    return Status();
  });
}

}  // namespace scrooge::backend::cpu
