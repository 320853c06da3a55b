// SPDX-License-Identifier: Apache-2.0
// For tile after tile of rows of W, candidate after candidate: its errors, their quadratic forms, and their sum.
#include "backends/cuda/kernels/scale_search_loss.h"

#include <algorithm>

#include "backends/cuda/ops/quadratic_form.h"
#include "backends/cuda/ops/scheme.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

struct Scratch {
  Scratch(ScratchCarver& carver, int64_t rows, int64_t candidates) {
    sums = carver.take<double>(rows);
    losses = carver.take<double>(candidates);
  }
  CuAddress sums, losses;
};

class Search {
 public:
  Search(Work& work, const ScaleSearchLossParams& p, const Scheme& scheme, ScratchCarver& carver)
      : work_(work),
        p_(p),
        scheme_(scheme),
        form_(work, p.gram, p.w.rows, work.fast(p.precision), carver),
        scratch_(carver, form_.tile_rows(), p.candidates.rows) {}

  Status run() {
    SCROOGE_RETURN_IF_ERROR(work_.fill_zero(scratch_.losses, p_.loss.size_bytes()));
    for (int pass = 0; pass < form_.passes(); ++pass) {
      SCROOGE_RETURN_IF_ERROR(form_.prepare(pass));
      for (int64_t first = 0; first < p_.w.rows; first += form_.tile_rows()) {
        const int64_t count = std::min(form_.tile_rows(), p_.w.rows - first);
        for (int64_t c = 0; c < p_.candidates.rows; ++c) SCROOGE_RETURN_IF_ERROR(add(c, first, count));
      }
    }
    return work_.fetch(scratch_.losses, p_.loss);
  }

 private:
  Status add(int64_t candidate, int64_t first, int64_t count) {
    constexpr int64_t kWarps = 8;
    const Matrix s = p_.candidates.row_range(candidate, 1);
    const SearchErrorArguments errors{view<const float>(p_.w.row_range(first, count)),
                                      {address_of(s.buffer, s.offset), s.cols},
                                      form_.errors(),
                                      scheme_};
    SCROOGE_RETURN_IF_ERROR(work_.launch({"scale_search_loss", "scrooge_search_errors"},
                                         {32 * kWarps, ceil_div(count * scheme_.groups, kWarps)}, errors));
    SCROOGE_RETURN_IF_ERROR(work_.fill_zero(scratch_.sums, static_cast<uint64_t>(count) * sizeof(double)));
    SCROOGE_RETURN_IF_ERROR(form_.add(count, scratch_.sums));
    VectorView<const float> weight = view<const float>(p_.row_weight);
    if (weight.address != 0) weight = {weight.address + static_cast<uint64_t>(first) * sizeof(float), count};
    const SearchTotalArguments total{
        {scratch_.sums, count}, weight, {scratch_.losses + static_cast<uint64_t>(candidate) * sizeof(double), 1}};
    return work_.launch({"scale_search_loss", "scrooge_search_total"}, {256, 1, 1, 1, 32 * sizeof(double)}, total);
  }

  Work& work_;
  const ScaleSearchLossParams& p_;
  const Scheme scheme_;
  QuadraticForm form_;
  Scratch scratch_;
};

}  // namespace

uint64_t scale_search_scratch(int64_t n, int64_t k) {
  constexpr int64_t kCandidates = 4096;
  ScratchCarver carver;
  const Scratch scratch(carver, n, kCandidates);
  return QuadraticForm::scratch_bytes(n, k) + carver.used();
}

Status CudaDevice::scale_search_loss(const ScaleSearchLossParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  std::fill(p.loss.begin(), p.loss.end(), 0.0);
  if (p.w.rows == 0 || p.w.cols == 0 || p.loss.empty()) return {};
  return run("scale_search_loss", {p.w.buffer, p.gram.buffer, p.candidates.buffer, p.row_weight.buffer},
             [&](Work& work) -> Status {
               SCROOGE_ASSIGN_OR_RETURN(const Scheme scheme, scheme_of(p.spec, p.w.cols));
               ScratchCarver sizes;
               const Search counted(work, p, scheme, sizes);
               SCROOGE_ASSIGN_OR_RETURN(const CuAddress base, work.scratch(sizes.used()));
               ScratchCarver carver(base);
               return Search(work, p, scheme, carver).run();
             });
}

}  // namespace scrooge::backend::cuda
