// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels/refit_scales.h"

#include <algorithm>

#include "backends/cuda/ops/code_slopes.h"
#include "backends/cuda/ops/row_pieces.h"
#include "backends/cuda/ops/scheme.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

struct Scratch {
  Scratch(ScratchCarver& carver, int64_t rows, int64_t k, int64_t group) {
    slopes = carver.take<float>(rows * k);
    curvature = carver.take<float>(rows * ceil_div(k, group));
    moved = carver.take<float>(rows * group);
  }
  CuAddress slopes, curvature, moved;
};

Status refit_rows(Work& work, RefitScalesArguments arguments) {
  const Scheme& scheme = arguments.error.scheme;
  const int64_t rows = arguments.scales.rows;
  SCROOGE_RETURN_IF_ERROR(launch_code_slopes(work, arguments.error, arguments.gram, arguments.slopes));
  LaunchShape tiles = tile_shape(1, 1);
  tiles.x = ceil_div(rows, 128);
  tiles.y = std::min<int64_t>(scheme.groups, 32768);
  SCROOGE_RETURN_IF_ERROR(work.launch({"refit_scales", "scrooge_refit_curvature"}, tiles, arguments));
  constexpr int64_t kWarps = 8;
  for (arguments.group = 0; arguments.group < scheme.groups; ++arguments.group) {
    SCROOGE_RETURN_IF_ERROR(work.check_cancelled());
    SCROOGE_RETURN_IF_ERROR(
        work.launch({"refit_scales", "scrooge_refit_move"}, {32 * kWarps, ceil_div(rows, kWarps)}, arguments));
    const int64_t later = scheme.k - (arguments.group + 1) * static_cast<int64_t>(scheme.group);
    if (later <= 0) break;
    SCROOGE_RETURN_IF_ERROR(work.launch({"refit_scales", "scrooge_refit_spread"}, tile_shape(later, rows), arguments));
  }
  return {};
}

}  // namespace

uint64_t refit_scales_scratch(int64_t n, int64_t k, int64_t group) {
  ScratchCarver carver;
  const Scratch scratch(carver, RowPieces(n, k).rows, k, group);
  return carver.used();
}

Status CudaDevice::refit_scales(const RefitScalesParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  if (p.w.rows == 0 || k == 0) return {};
  return run("refit_scales", {p.w.buffer, p.codes.buffer, p.zeros.buffer, p.gram.buffer, p.scales.buffer},
             [&](Work& work) -> Status {
               SCROOGE_ASSIGN_OR_RETURN(const Scheme scheme, scheme_of(p.spec, k));
               const RowPieces pieces(p.w.rows, k, work.pieces());
               SCROOGE_ASSIGN_OR_RETURN(const CuAddress base,
                                        work.scratch(refit_scales_scratch(p.w.rows, k, scheme.group)));
               ScratchCarver carver(base);
               const Scratch scratch(carver, pieces.rows, k, scheme.group);
               return pieces.for_each([&](int64_t first, int64_t rows) {
                 const CodeError error{view<const float>(p.w.row_range(first, rows)),
                                       view<const float>(p.scales.row_range(first, rows)),
                                       view<const float>(p.zeros.row_range(first, rows)),
                                       view<const Code>(p.codes.row_range(first, rows)), scheme};
                 return refit_rows(work, {error,
                                          view<const float>(p.gram),
                                          view<float>(p.scales.row_range(first, rows)),
                                          {scratch.slopes, rows, k, k},
                                          {scratch.curvature, rows, scheme.groups, scheme.groups},
                                          {scratch.moved, rows, scheme.group, scheme.group},
                                          0});
               });
             });
}

}  // namespace scrooge::backend::cuda
