// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels/gram_loss.h"

#include <algorithm>

#include "backends/cuda/ops/elementwise.h"
#include "backends/cuda/ops/quadratic_form.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

// f32 products: the losses decide between solutions that are close to each other.
constexpr bool kBf16 = false;

Status add_tile(Work& work, const GramLossParams& p, QuadraticForm& form, int64_t first, CuAddress sums) {
  const int64_t count = std::min(form.tile_rows(), p.a.rows - first);
  const Matrix a = p.a.row_range(first, count);
  const Matrix b = p.b.row_range(first, count);
  const Span span = span_of({&a, &b}, false);
  SCROOGE_RETURN_IF_ERROR(
      work.launch({"gram_loss", "scrooge_difference"}, shape_of(span),
                  DifferenceArguments{view<const float>(a), view<const float>(b), form.errors(), span}));
  return form.add(count, sums + static_cast<uint64_t>(first) * sizeof(double));
}

}  // namespace

uint64_t gram_loss_scratch(int64_t n, int64_t k) {
  ScratchCarver carver;
  carver.take<double>(n);
  return QuadraticForm::scratch_bytes(n, k) + carver.used();
}

Status CudaDevice::gram_loss(const GramLossParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  std::fill(p.loss.begin(), p.loss.end(), 0.0);
  if (p.a.rows == 0 || p.a.cols == 0) return {};
  return run("gram_loss", {p.a.buffer, p.b.buffer, p.gram.buffer}, [&](Work& work) -> Status {
    ScratchCarver sizes;
    sizes.take<double>(p.a.rows);
    const QuadraticForm counted(work, p.gram, p.a.rows, kBf16, sizes);
    SCROOGE_ASSIGN_OR_RETURN(const CuAddress base, work.scratch(sizes.used()));
    ScratchCarver carver(base);
    const CuAddress sums = carver.take<double>(p.a.rows);
    QuadraticForm form(work, p.gram, p.a.rows, kBf16, carver);
    SCROOGE_RETURN_IF_ERROR(work.fill_zero(sums, p.loss.size_bytes()));
    for (int pass = 0; pass < form.passes(); ++pass) {
      SCROOGE_RETURN_IF_ERROR(form.prepare(pass));
      for (int64_t first = 0; first < p.a.rows; first += form.tile_rows()) {
        SCROOGE_RETURN_IF_ERROR(add_tile(work, p, form, first, sums));
      }
    }
    return work.fetch(sums, p.loss);
  });
}

}  // namespace scrooge::backend::cuda
