// SPDX-License-Identifier: Apache-2.0
// Tasks are tiles of 48 to 192 rows. The groups of a tile go one after another, each with two products: the errors of
// all channels with the group's columns of G, and its levels with its diagonal block.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/code_errors.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "backends/cpu/quadratic_form.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

struct Workspace {
  Workspace(Carver& carver, int64_t rows, int64_t k, int64_t group) {
    error = carver.take<float>(rows * k);
    levels = carver.take<float>(rows * group);
    product = carver.take<float>(rows * group);
    slopes = carver.take<double>(rows);
  }
  float* error;    // [row][channel]
  float* levels;   // [row][channel of the group]: codes - zeros
  float* product;  // of the same shape
  double* slopes;
};

// As if a group were the whole row, so that scratch never passes the scale search's.
int64_t tile_rows(int64_t k) { return quadratic_form_rows(3 * k); }

struct Columns {
  int64_t group, begin, width;
};

// The errors of one group of one row, for the scale as it is now.
void set_error(const RefitScalesParams& p, int64_t n, const Columns& at, float* error) {
  const GroupParams params{row_of<float>(p.scales, n)[at.group], row_of<float>(p.zeros, n)[at.group]};
  code_errors(row_of<uint8_t>(p.codes, n) + at.begin, row_of<float>(p.w, n) + at.begin, at.width, params, error);
}

Status refit_group(const Execution& execution, const RefitScalesParams& p, int64_t first, int64_t count,
                   const Columns& at, const Workspace& space) {
  const int64_t k = p.w.cols;
  for (int64_t r = 0; r < count; ++r) {
    const GroupParams unscaled{1, row_of<float>(p.zeros, first + r)[at.group]};
    dequantize_row(row_of<uint8_t>(p.codes, first + r) + at.begin, at.width, unscaled, space.levels + r * at.width);
  }
  Product product;
  product.m = count;
  product.n = product.ldc = at.width;
  product.k = product.lda = k;
  product.a = space.error;
  product.b = row_of<float>(p.gram, 0) + at.begin;
  product.ldb = p.gram.stride;
  product.c = space.product;
  SCROOGE_RETURN_IF_ERROR(execution.product.multiply(product));
  for (int64_t r = 0; r < count; ++r) {
    space.slopes[r] = dot_f64(space.levels + r * at.width, space.product + r * at.width, at.width);
  }
  product.k = product.lda = at.width;
  product.a = space.levels;
  product.b = row_of<float>(p.gram, at.begin) + at.begin;
  SCROOGE_RETURN_IF_ERROR(execution.product.multiply(product));
  for (int64_t r = 0; r < count; ++r) {
    const double curvature = dot_f64(space.levels + r * at.width, space.product + r * at.width, at.width);
    float& scale = row_of<float>(p.scales, first + r)[at.group];
    scale = refitted_scale(scale, space.slopes[r], curvature, p.spec.scale_dtype);
    set_error(p, first + r, at, space.error + r * k + at.begin);
  }
  return {};
}

}  // namespace

uint64_t refit_scales_scratch(int64_t k) {
  Carver carver;
  const Workspace space(carver, tile_rows(k), k, k);
  return carver.used();
}

Status CpuDevice::refit_scales(const RefitScalesParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  if (p.w.rows == 0 || k == 0) return {};
  const Execution context = execution();
  const int64_t group = p.spec.group_length(k);
  const Tiling rows(p.w.rows, tile_rows(k), 1);
  Carver sizes;
  const Workspace sized(sizes, rows.size, k, group);
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(0, sizes.used()));
  return context.for_each(rows.count, [&](int64_t index, int worker) {
    Carver carver(scratch_.worker(worker));
    const Workspace space(carver, rows.size, k, group);
    const int64_t first = rows.begin(index);
    const int64_t count = rows.length(index);
    const auto columns = [&](int64_t g) { return Columns{g, g * group, std::min(group, k - g * group)}; };
    for (int64_t g = 0; g < p.scales.cols; ++g) {
      const Columns at = columns(g);
      for (int64_t r = 0; r < count; ++r) set_error(p, first + r, at, space.error + r * k + at.begin);
    }
    for (int64_t g = 0; g < p.scales.cols; ++g) {
      SCROOGE_RETURN_IF_ERROR(context.check_cancelled(worker));
      SCROOGE_RETURN_IF_ERROR(refit_group(context, p, first, count, columns(g), space));
    }
    return Status();
  });
}

}  // namespace scrooge::backend::cpu
