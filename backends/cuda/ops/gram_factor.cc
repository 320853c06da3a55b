// SPDX-License-Identifier: Apache-2.0
// With H reversed in the order of the steps and L its Cholesky factor, u_j is row (K - 1 - j) of L^-1, read backwards.
// f64, by products of cuBLASLt; tiles of 64 on the diagonal by kernels of this folder, which also give their inverses.
//
// All of it in the one matrix of the result, which may be gram. Its upper triangle, read backwards, holds the permuted
// H, then L below its diagonal, then L^-1; its lower triangle what L is more than its rounding to f32, so that L has 48
// bits; at the end the mirror of the upper one.
//  - H permuted in place: columns by slabs of rows, then rows by slabs of columns.
//  - L by panels of 256 columns: the panel of H, less the products of the columns before it, then its own tiles.
//  - L^-1 by panels of 1024 columns, forward substitution from row block to row block of 256. A panel needs of L only
//    columns from its first on, so it takes their place.
#include "backends/cuda/kernels/gram_factor.h"

#include <algorithm>

#include "backends/cuda/ops/mirror.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

constexpr int64_t kTile = kFactorTile;

struct Scratch {
  Scratch(ScratchCarver& carver, int64_t k, const PieceSizes& sizes) {
    order = carver.take<int32_t>(k);
    numbers = carver.take<double>(2);
    inverses = carver.take<double>(ceil_div(k, kTile) * kTile * kTile);
    columns = std::min(sizes.factor_columns, ceil_div(k, kTile) * kTile);
    row_stride = ceil_div(k, kTile) * kTile;
    // First slabs of H, then a panel and columns of L, then columns of L^-1 and rows of L.
    const int64_t factor = k * (sizes.factor_panel + sizes.factor_depth);
    slab = 2 * (sizes.factor_panel + sizes.factor_depth);
    panel = carver.take<double>(std::max(factor, k * columns + sizes.factor_panel * row_stride));
    chunk = panel + static_cast<uint64_t>(k * sizes.factor_panel) * sizeof(double);
    rows = panel + static_cast<uint64_t>(k * columns) * sizeof(double);
  }
  CuAddress order, numbers, inverses;
  int64_t slab;            // rows or columns of f32 where the panel is
  CuAddress panel, chunk;  // [k, factor_panel], [k, factor_depth]
  CuAddress rows;          // [factor_panel, k]; the columns of L^-1, [k, columns], are where the panel was
  int64_t columns, row_stride;
};

CuAddress element(CuAddress base, int64_t row, int64_t stride, int64_t column) {
  return base + static_cast<uint64_t>(row * stride + column) * sizeof(double);
}

LaunchShape elements(int64_t rows, int64_t cols) {
  constexpr int64_t kMostRows = 32768;
  return {256, ceil_div(cols, 256), std::min(rows, kMostRows), 1, 0};
}

class Factorization {
 public:
  Factorization(Work& work, const GramFactorParams& p, const Scratch& scratch)
      : work_(work),
        p_(p),
        k_(p.gram.rows),
        scratch_(scratch),
        panel_(work.pieces().factor_panel),
        depth_(work.pieces().factor_depth),
        at_{view<const float>(p.gram), view<float>(p.factor), {scratch.order, k_}, {scratch.numbers, 2}} {}

  Status arrange() {
    SCROOGE_RETURN_IF_ERROR(work_.upload(scratch_.order, p_.order));
    const FactorArguments arguments{at_, p_.damping};
    SCROOGE_RETURN_IF_ERROR(
        work_.launch({"gram_factor", "scrooge_factor_trace"}, {256, 1, 1, 1, 32 * sizeof(double)}, arguments));
    if (at_.gram.address != at_.factor.address) {
      return work_.launch({"gram_factor", "scrooge_factor_gather"}, elements(k_, k_), arguments);
    }
    for (int64_t first = 0; first < k_; first += scratch_.slab) {
      const int64_t count = std::min(scratch_.slab, k_ - first);
      SCROOGE_RETURN_IF_ERROR(
          permute("scrooge_factor_columns", "scrooge_factor_put_columns", p_.factor.row_range(first, count), first));
    }
    for (int64_t first = 0; first < k_; first += scratch_.slab) {
      const int64_t count = std::min(scratch_.slab, k_ - first);
      SCROOGE_RETURN_IF_ERROR(
          permute("scrooge_factor_rows", "scrooge_factor_put_rows", p_.factor.col_range(first, count), first));
    }
    return {};
  }

  // False when a pivot was not positive.
  Result<bool> factorize() {
    for (int64_t begin = 0; begin < k_; begin += panel_) {
      const int64_t width = std::min(panel_, k_ - begin);
      SCROOGE_RETURN_IF_ERROR(work_.check_cancelled());
      SCROOGE_RETURN_IF_ERROR(
          move("scrooge_factor_load_gram", scratch_.panel, k_ - begin, width, panel_, begin, begin));
      SCROOGE_RETURN_IF_ERROR(subtract_columns_before(begin, width));
      for (int64_t tile = 0; tile < width; tile += kTile) {
        SCROOGE_RETURN_IF_ERROR(factorize_tile(begin, width, tile, std::min(kTile, width - tile)));
      }
      SCROOGE_RETURN_IF_ERROR(move("scrooge_factor_store", scratch_.panel, k_ - begin, width, panel_, begin, begin));
    }
    double broken = 1;
    SCROOGE_RETURN_IF_ERROR(work_.fetch(scratch_.numbers + sizeof(double), std::span<double>(&broken, 1)));
    SCROOGE_RETURN_IF_ERROR(work_.finish());
    return broken == 0;
  }

  Status invert() {
    for (int64_t first = 0; first < k_; first += scratch_.columns) {
      const int64_t width = std::min(scratch_.columns, k_ - first);
      SCROOGE_RETURN_IF_ERROR(
          move("scrooge_factor_identity", scratch_.panel, k_ - first, width, scratch_.columns, 0, 0));
      for (int64_t begin = first; begin < k_; begin += panel_) {
        SCROOGE_RETURN_IF_ERROR(work_.check_cancelled());
        SCROOGE_RETURN_IF_ERROR(substitute(first, width, begin, std::min(panel_, k_ - begin)));
      }
      SCROOGE_RETURN_IF_ERROR(
          move("scrooge_factor_store_inverse", scratch_.panel, k_ - first, width, scratch_.columns, first, first));
    }
    return {};
  }

 private:
  // Into the room and back.
  Status permute(const char* take, const char* put, const Matrix& slab, int64_t first) {
    SCROOGE_RETURN_IF_ERROR(work_.check_cancelled());
    const FactorSlabArguments arguments{
        view<float>(slab), {scratch_.panel, slab.rows, slab.cols, slab.cols}, at_.order, first};
    for (const char* kernel : {take, put}) {
      SCROOGE_RETURN_IF_ERROR(work_.launch({"gram_factor", kernel}, elements(slab.rows, slab.cols), arguments));
    }
    return {};
  }

  Status move(const char* kernel, CuAddress block, int64_t rows, int64_t cols, int64_t stride, int64_t row,
              int64_t column) {
    return work_.launch({"gram_factor", kernel}, elements(rows, cols),
                        FactorBlockArguments{at_, {block, rows, cols, stride}, row, column});
  }

  // c[m,n] -= a[m,k] op(b).
  Status subtract(int64_t m, int64_t n, int64_t k, CuAddress a, int64_t lda, CuAddress b, int64_t ldb, bool transpose_b,
                  CuAddress c, int64_t ldc) {
    return work_.multiply({Product::Type::kF64, false, transpose_b, m, n, k, a, b, c, lda, ldb, ldc, -1, 1});
  }

  Status subtract_columns_before(int64_t begin, int64_t width) {
    for (int64_t column = 0; column < begin; column += depth_) {
      const int64_t depth = std::min(depth_, begin - column);
      const int64_t rows = k_ - begin;
      SCROOGE_RETURN_IF_ERROR(move("scrooge_factor_load", scratch_.chunk, rows, depth, depth_, begin, column));
      SCROOGE_RETURN_IF_ERROR(
          subtract(rows, width, depth, scratch_.chunk, depth_, scratch_.chunk, depth_, true, scratch_.panel, panel_));
    }
    return {};
  }

  MatrixView<double> inverse(int64_t row, int64_t size) const {
    return {element(scratch_.inverses, row / kTile * kTile, kTile, 0), size, size, kTile};
  }

  // A tile of the panel that starts at `begin`: its factor, the rows below it, and what they take from the columns to
  // their right.
  Status factorize_tile(int64_t begin, int64_t width, int64_t tile, int64_t size) {
    const auto in_panel = [&](int64_t row, int64_t column) { return element(scratch_.panel, row, panel_, column); };
    FactorTileArguments arguments{{in_panel(tile, tile), size, size, panel_}, inverse(begin + tile, size), at_.numbers};
    SCROOGE_RETURN_IF_ERROR(
        work_.launch({"gram_factor", "scrooge_factor_tile"}, {256, 1, 1, 1, 2 * kFactorTileBytes}, arguments));
    const int64_t next = tile + size;
    const int64_t below = k_ - begin - next;
    if (below == 0) return {};
    arguments.block = {in_panel(next, tile), below, size, panel_};
    SCROOGE_RETURN_IF_ERROR(work_.launch({"gram_factor", "scrooge_factor_solve"},
                                         {256, ceil_div(below, kTile), 1, 1, 2 * kFactorTileBytes}, arguments));
    if (next == width) return {};
    return subtract(below, width - next, size, in_panel(next, tile), panel_, in_panel(next, tile), panel_, true,
                    in_panel(next, next), panel_);
  }

  // Rows [begin, begin + height) of the columns [first, first + width) of L^-1, from the rows above them.
  Status substitute(int64_t first, int64_t width, int64_t begin, int64_t height) {
    const int64_t above = begin - first;
    const int64_t stride = scratch_.columns;
    const auto in_columns = [&](int64_t row) { return element(scratch_.panel, row, stride, 0); };
    SCROOGE_RETURN_IF_ERROR(
        move("scrooge_factor_load", scratch_.rows, height, above + height, scratch_.row_stride, begin, first));
    if (above > 0) {
      SCROOGE_RETURN_IF_ERROR(subtract(height, width, above, scratch_.rows, scratch_.row_stride, in_columns(0), stride,
                                       false, in_columns(above), stride));
    }
    for (int64_t tile = 0; tile < height; tile += kTile) {
      const int64_t size = std::min(kTile, height - tile);
      if (tile > 0) {
        SCROOGE_RETURN_IF_ERROR(subtract(size, width, tile, element(scratch_.rows, tile, scratch_.row_stride, above),
                                         scratch_.row_stride, in_columns(above), stride, false,
                                         in_columns(above + tile), stride));
      }
      const FactorTileArguments arguments{
          {in_columns(above + tile), size, width, stride}, inverse(begin + tile, size), at_.numbers};
      SCROOGE_RETURN_IF_ERROR(work_.launch({"gram_factor", "scrooge_factor_apply"},
                                           {256, ceil_div(width, kTile), 1, 1, 2 * kFactorTileBytes}, arguments));
    }
    return {};
  }

  Work& work_;
  const GramFactorParams& p_;
  const int64_t k_;
  const Scratch& scratch_;
  const int64_t panel_;  // columns of L at once
  const int64_t depth_;
  const FactorMatrices at_;
};

}  // namespace

uint64_t gram_factor_scratch(int64_t k) {
  ScratchCarver carver;
  const Scratch scratch(carver, k, kPieceSizes);
  return carver.used();
}

Status CudaDevice::gram_factor(const GramFactorParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  *p.positive_definite = true;
  if (p.gram.rows == 0) return {};
  return run("gram_factor", {p.gram.buffer, p.factor.buffer}, [&](Work& work) -> Status {
    ScratchCarver sizes;
    const Scratch counted(sizes, p.gram.rows, work.pieces());
    SCROOGE_ASSIGN_OR_RETURN(const CuAddress base, work.scratch(sizes.used()));
    ScratchCarver carver(base);
    const Scratch scratch(carver, p.gram.rows, work.pieces());
    Factorization factorization(work, p, scratch);
    SCROOGE_RETURN_IF_ERROR(factorization.arrange());
    SCROOGE_ASSIGN_OR_RETURN(*p.positive_definite, factorization.factorize());
    if (!*p.positive_definite) return {};
    SCROOGE_RETURN_IF_ERROR(factorization.invert());
    return mirror(work, p.factor);
  });
}

}  // namespace scrooge::backend::cuda
