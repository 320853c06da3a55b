// SPDX-License-Identifier: Apache-2.0
// Pieces of rows bound the scratch; within one, panels of steps: round, spread, round, ...
#include "backends/cuda/kernels/gptq.h"

#include <algorithm>

#include "backends/cuda/ops/row_pieces.h"
#include "backends/cuda/ops/scheme.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "backends/cuda/ops/tile.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

struct Scratch {
  Scratch(ScratchCarver& carver, int64_t rows, int64_t k) {
    order = carver.take<int32_t>(k);
    by_step = carver.take<float>(rows * k);
    error = carver.take<float>(rows * kGptqSteps);
  }
  CuAddress order, by_step, error;
};

Status round_rows(Work& work, GptqArguments arguments) {
  const int64_t rows = arguments.w.rows;
  const int32_t k = arguments.scheme.k;
  constexpr int64_t kWarps = 8;
  SCROOGE_RETURN_IF_ERROR(
      work.launch({"gptq", "scrooge_gptq_gather"}, {256, ceil_div(k, 256), std::min<int64_t>(rows, 32768)}, arguments));
  for (int32_t begin = 0; begin < k; begin += kGptqSteps) {
    SCROOGE_RETURN_IF_ERROR(work.check_cancelled());
    arguments.begin = begin;
    arguments.end = std::min(k, begin + kGptqSteps);
    SCROOGE_RETURN_IF_ERROR(work.launch({"gptq", "scrooge_gptq_panel"},
                                        {32 * kWarps, ceil_div(rows, kWarps), 1, 1, kGptqSteps * (kGptqSteps + 1) * 4},
                                        arguments));
    SCROOGE_RETURN_IF_ERROR(
        work.launch({"gptq", "scrooge_gptq_spread"}, tile_shape(k - arguments.end, rows), arguments));
  }
  return {};
}

}  // namespace

uint64_t gptq_scratch(int64_t n, int64_t k) {
  ScratchCarver carver;
  const Scratch scratch(carver, RowPieces(n, k).rows, k);
  return carver.used();
}

Status CudaDevice::gptq(const GptqParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  if (p.w.rows == 0 || k == 0) return {};
  return run("gptq", {p.w.buffer, p.scales.buffer, p.zeros.buffer, p.factor.buffer, p.codes.buffer},
             [&](Work& work) -> Status {
               SCROOGE_ASSIGN_OR_RETURN(const Scheme scheme, scheme_of(p.spec, k));
               const RowPieces pieces(p.w.rows, k, work.pieces());
               SCROOGE_ASSIGN_OR_RETURN(const CuAddress base, work.scratch(gptq_scratch(p.w.rows, k)));
               ScratchCarver carver(base);
               const Scratch scratch(carver, pieces.rows, k);
               SCROOGE_RETURN_IF_ERROR(work.upload(scratch.order, p.order));
               return pieces.for_each([&](int64_t first, int64_t count) {
                 return round_rows(work, {view<const float>(p.w.row_range(first, count)),
                                          view<const float>(p.scales.row_range(first, count)),
                                          view<const float>(p.zeros.row_range(first, count)),
                                          view<const float>(p.factor),
                                          view<Code>(p.codes.row_range(first, count)),
                                          {scratch.order, k},
                                          {scratch.by_step, count, k, k},
                                          {scratch.error, count, kGptqSteps, kGptqSteps},
                                          scheme,
                                          0,
                                          0});
               });
             });
}

}  // namespace scrooge::backend::cuda
