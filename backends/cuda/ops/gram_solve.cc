// SPDX-License-Identifier: Apache-2.0
// Pieces of rows bound the scratch: gathered, multiplied by U^T, then by U. Every row of a piece is read before the
// first is written, so y may be x.
#include "backends/cuda/kernels/gram_solve.h"

#include <algorithm>

#include "backends/cuda/ops/row_pieces.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "backends/cuda/ops/tile.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

struct Scratch {
  Scratch(ScratchCarver& carver, int64_t rows, int64_t k) {
    order = carver.take<int32_t>(k);
    steps = carver.take<float>(rows * k);
    half = carver.take<float>(rows * k);
  }
  CuAddress order, steps, half;
};

RowPieces pieces_of(int64_t n, int64_t k, const PieceSizes& sizes) { return {n, 2 * k, sizes}; }

Status solve_rows(Work& work, const SolveArguments& arguments) {
  const int64_t rows = arguments.x.rows;
  const int64_t k = arguments.x.cols;
  SCROOGE_RETURN_IF_ERROR(work.launch({"gram_solve", "scrooge_solve_gather"},
                                      {256, ceil_div(k, 256), std::min<int64_t>(rows, 32768)}, arguments));
  for (const char* kernel : {"scrooge_solve_half", "scrooge_solve_whole"}) {
    SCROOGE_RETURN_IF_ERROR(work.check_cancelled());
    SCROOGE_RETURN_IF_ERROR(work.launch({"gram_solve", kernel}, tile_shape(k, rows), arguments));
  }
  return {};
}

}  // namespace

uint64_t gram_solve_scratch(int64_t n, int64_t k) {
  ScratchCarver carver;
  const Scratch scratch(carver, pieces_of(n, k, kPieceSizes).rows, k);
  return carver.used();
}

Status CudaDevice::gram_solve(const GramSolveParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.x.cols;
  if (p.x.rows == 0 || k == 0) return {};
  return run("gram_solve", {p.x.buffer, p.factor.buffer, p.y.buffer}, [&](Work& work) -> Status {
    const RowPieces pieces = pieces_of(p.x.rows, k, work.pieces());
    SCROOGE_ASSIGN_OR_RETURN(const CuAddress base, work.scratch(gram_solve_scratch(p.x.rows, k)));
    ScratchCarver carver(base);
    const Scratch scratch(carver, pieces.rows, k);
    SCROOGE_RETURN_IF_ERROR(work.upload(scratch.order, p.order));
    return pieces.for_each([&](int64_t first, int64_t count) {
      return solve_rows(work, {view<const float>(p.x.row_range(first, count)),
                               view<float>(p.y.row_range(first, count)),
                               view<const float>(p.factor),
                               {scratch.order, k},
                               {scratch.steps, count, k, k},
                               {scratch.half, count, k, k}});
    });
  });
}

}  // namespace scrooge::backend::cuda
