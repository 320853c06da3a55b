// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels/refine_codes.h"

#include "backends/cuda/ops/code_slopes.h"
#include "backends/cuda/ops/row_pieces.h"
#include "backends/cuda/ops/scheme.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {

uint64_t refine_codes_scratch(int64_t n, int64_t k) {
  ScratchCarver carver;
  carver.take<float>(RowPieces(n, k).rows * k);
  return carver.used();
}

Status CudaDevice::refine_codes(const RefineCodesParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  if (p.w.rows == 0 || k == 0) return {};
  return run("refine_codes", {p.w.buffer, p.codes.buffer, p.scales.buffer, p.zeros.buffer, p.gram.buffer},
             [&](Work& work) -> Status {
               SCROOGE_ASSIGN_OR_RETURN(const Scheme scheme, scheme_of(p.spec, k));
               SCROOGE_ASSIGN_OR_RETURN(const CuAddress slopes, work.scratch(refine_codes_scratch(p.w.rows, k)));
               const bool shared = 4 * k + 1024 <= work.shared_limit();
               return RowPieces(p.w.rows, k, work.pieces()).for_each([&](int64_t first, int64_t rows) -> Status {
                 SCROOGE_RETURN_IF_ERROR(work.check_cancelled());
                 const CodeError error{view<const float>(p.w.row_range(first, rows)),
                                       view<const float>(p.scales.row_range(first, rows)),
                                       view<const float>(p.zeros.row_range(first, rows)),
                                       view<const Code>(p.codes.row_range(first, rows)), scheme};
                 const MatrixView<float> to{slopes, rows, k, k};
                 SCROOGE_RETURN_IF_ERROR(launch_code_slopes(work, error, view<const float>(p.gram), to));
                 const RefineCodesArguments arguments{error.scales,
                                                      view<const float>(p.gram),
                                                      view<Code>(p.codes.row_range(first, rows)),
                                                      to,
                                                      scheme,
                                                      p.sweeps,
                                                      shared ? 1 : 0};
                 return work.launch({"refine_codes", "scrooge_refine_codes"}, {256, rows, 1, 1, shared ? 4 * k : 0},
                                    arguments);
               });
             });
}

}  // namespace scrooge::backend::cuda
