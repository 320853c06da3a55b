// SPDX-License-Identifier: Apache-2.0
// Tasks are tiles of rows whose slopes E G come from one product; after it each row goes its own way. Few codes move,
// so a move costs a row of G and all others only their look.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/code_errors.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "backends/cpu/quadratic_form.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

struct Workspace {
  Workspace(Carver& carver, int64_t rows, int64_t k) {
    error = carver.take<float>(rows * k);
    slopes = carver.take<float>(rows * k);
  }
  float* error;   // [row][channel]
  float* slopes;  // E G
};

// Scratch never passes the scale search's.
int64_t tile_rows(int64_t k) { return quadratic_form_rows(2 * k); }

void set_errors(const RefineCodesParams& p, int64_t n, float* error) {
  const int64_t k = p.w.cols;
  const int64_t group = p.spec.group_length(k);
  for (int64_t g = 0; g < p.scales.cols; ++g) {
    const int64_t begin = g * group;
    const GroupParams params{row_of<float>(p.scales, n)[g], row_of<float>(p.zeros, n)[g]};
    code_errors(row_of<uint8_t>(p.codes, n) + begin, row_of<float>(p.w, n) + begin, std::min(group, k - begin), params,
                error + begin);
  }
}

// E G in panels of columns: above K = 2048 in more than one, so that no product runs for long.
Status set_slopes(const Execution& execution, int worker, const RefineCodesParams& p, int64_t count,
                  const Workspace& space) {
  const int64_t k = p.w.cols;
  const Tiling panels(k, std::max<int64_t>(256, (int64_t{1} << 22) / k), 16);
  for (int64_t panel = 0; panel < panels.count; ++panel) {
    SCROOGE_RETURN_IF_ERROR(execution.check_cancelled(worker));
    Product product;
    product.m = count;
    product.n = panels.length(panel);
    product.k = product.lda = product.ldc = k;
    product.a = space.error;
    product.b = row_of<float>(p.gram, 0) + panels.begin(panel);
    product.ldb = p.gram.stride;
    product.c = space.slopes + panels.begin(panel);
    SCROOGE_RETURN_IF_ERROR(execution.product.multiply(product));
  }
  return {};
}

// One pass over a row; returns whether a code moved.
bool sweep_row(const RefineCodesParams& p, int64_t n, float* slopes) {
  const int64_t k = p.w.cols;
  const int64_t group = p.spec.group_length(k);
  const auto top = static_cast<float>(p.spec.max_code());
  const float* const scales = row_of<float>(p.scales, n);
  auto* const codes = row_of<uint8_t>(p.codes, n);
  bool moved = false;
  for (int64_t c = 0; c < k; ++c) {
    const float* const gram = row_of<float>(p.gram, c);
    const float scale = scales[c / group];
    const float before = codes[c];
    const float after = refined_code(before, scale, slopes[c], gram[c], top);
    if (after == before) continue;
    moved = true;
    codes[c] = static_cast<uint8_t>(after);
    add_scaled_row(gram, (after - before) * scale, slopes, k);
  }
  return moved;
}

}  // namespace

uint64_t refine_codes_scratch(int64_t k) {
  Carver carver;
  const Workspace space(carver, tile_rows(k), k);
  return carver.used();
}

Status CpuDevice::refine_codes(const RefineCodesParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  if (p.w.rows == 0 || k == 0) return {};
  const Execution context = execution();
  const Tiling rows(p.w.rows, tile_rows(k), 1);
  Carver sizes;
  const Workspace sized(sizes, rows.size, k);
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(0, sizes.used()));
  return context.for_each(rows.count, [&](int64_t index, int worker) {
    Carver carver(scratch_.worker(worker));
    const Workspace space(carver, rows.size, k);
    const int64_t first = rows.begin(index);
    const int64_t count = rows.length(index);
    for (int64_t r = 0; r < count; ++r) set_errors(p, first + r, space.error + r * k);
    SCROOGE_RETURN_IF_ERROR(set_slopes(context, worker, p, count, space));
    for (int64_t r = 0; r < count; ++r) {
      for (int sweep = 0; sweep < p.sweeps; ++sweep) {
        SCROOGE_RETURN_IF_ERROR(context.check_cancelled(worker));
        if (!sweep_row(p, first + r, space.slopes + r * k)) break;
      }
    }
    return Status();
  });
}

}  // namespace scrooge::backend::cpu
