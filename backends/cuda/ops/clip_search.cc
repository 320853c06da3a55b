// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels/clip_search.h"

#include <algorithm>
#include <vector>

#include "backends/cuda/ops/row_pieces.h"
#include "backends/cuda/ops/scheme.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "backends/cuda/ops/tile.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

struct Scratch {
  Scratch(ScratchCarver& carver, int64_t rows, int64_t groups, int64_t count) {
    candidates = carver.take<Clip>(count);
    losses = carver.take<float>(rows * groups * count);
  }
  CuAddress candidates, losses;
};

// A piece is a launch of up to 2^37 multiply-adds, some milliseconds, whatever its scratch.
RowPieces pieces_of(int64_t n, int64_t k, int64_t groups, int64_t count, const PieceSizes& sizes = kPieceSizes) {
  const int64_t wide = std::max<int64_t>(groups > 0 ? k / groups : k, 128);
  return {n, std::max(groups * count, k * wide / 8192 * count), sizes};
}

}  // namespace

uint64_t clip_search_scratch(int64_t n, int64_t k, int64_t group, int64_t candidates) {
  ScratchCarver carver;
  const int64_t groups = ceil_div(k, group);
  const Scratch scratch(carver, pieces_of(n, k, groups, candidates).rows, groups, candidates);
  return carver.used();
}

Status CudaDevice::clip_search(const ClipSearchParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  if (p.w.rows == 0 || k == 0) return {};
  return run("clip_search", {p.w.buffer, p.gram.buffer, p.scales.buffer, p.zeros.buffer, p.error.buffer},
             [&](Work& work) -> Status {
               SCROOGE_ASSIGN_OR_RETURN(const Scheme scheme, scheme_of(p.spec, k));
               const auto count = static_cast<int64_t>(p.candidates.size());
               const RowPieces pieces = pieces_of(p.w.rows, k, scheme.groups, count, work.pieces());
               SCROOGE_ASSIGN_OR_RETURN(const CuAddress base,
                                        work.scratch(clip_search_scratch(p.w.rows, k, scheme.group, count)));
               ScratchCarver carver(base);
               const Scratch scratch(carver, pieces.rows, scheme.groups, count);
               std::vector<Clip> table;
               for (const ClipCandidate& candidate : p.candidates) table.push_back(clip_of(candidate, p.rule));
               SCROOGE_RETURN_IF_ERROR(work.upload(scratch.candidates, std::span<const Clip>(table)));
               return pieces.for_each([&](int64_t first, int64_t rows) -> Status {
                 SCROOGE_RETURN_IF_ERROR(work.check_cancelled());
                 const ClipSearchArguments arguments{view<const float>(p.w.row_range(first, rows)),
                                                     view<const float>(p.gram),
                                                     view<float>(p.scales.row_range(first, rows)),
                                                     view<float>(p.zeros.row_range(first, rows)),
                                                     view<float>(p.error.row_range(first, rows)),
                                                     {scratch.candidates, count},
                                                     {scratch.losses, rows * count, scheme.groups, scheme.groups},
                                                     scheme};
                 LaunchShape tiles = tile_shape(1, 1);
                 tiles.x = ceil_div(rows * count, 128);
                 tiles.y = std::min<int64_t>(scheme.groups, 32768);
                 SCROOGE_RETURN_IF_ERROR(work.launch({"clip_search", "scrooge_clip_losses"}, tiles, arguments));
                 constexpr int64_t kWarps = 8;
                 return work.launch({"clip_search", "scrooge_clip_choose"},
                                    {32 * kWarps, ceil_div(rows * scheme.groups, kWarps)}, arguments);
               });
             });
}

}  // namespace scrooge::backend::cuda
