// SPDX-License-Identifier: Apache-2.0
// Tasks are tiles of about 192 by 192 of the gram; with symmetric, those on and above the diagonal. Diagonal tiles go
// through scratch, so that nothing below the diagonal is written. kFast rounds 1024 tokens at a time to bf16.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/tile_sizes.h"
#include "backends/cpu/simd/convert_row.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

struct Tile {
  int64_t row, rows, col, cols;
  bool diagonal;
};

std::vector<Tile> tiles_of(const GramAccumulateParams& p) {
  const Tiling rows(p.gram.rows, kGramTile, 16);
  const Tiling cols(p.gram.cols, kGramTile, 16);
  std::vector<Tile> tiles;
  for (int64_t r = 0; r < rows.count; ++r) {
    for (int64_t c = p.symmetric ? r : 0; c < cols.count; ++c) {
      tiles.push_back({rows.begin(r), rows.length(r), cols.begin(c), cols.length(c), p.symmetric && r == c});
    }
  }
  return tiles;
}

void add_upper(const GramAccumulateParams& p, const Tile& tile, const float* sums) {
  for (int64_t r = 0; r < tile.rows; ++r) {
    add_scaled_row(sums + r * tile.cols + r, 1, row_of<float>(p.gram, tile.row + r) + tile.col + r, tile.cols - r);
  }
}

// A product with its place of result: the tile itself, or scratch for a diagonal one.
template <typename AnyProduct>
AnyProduct tile_product(const GramAccumulateParams& p, const Tile& tile, float* sums) {
  AnyProduct product;
  product.transpose_a = true;
  product.m = tile.rows;
  product.n = tile.cols;
  product.beta = tile.diagonal ? 0 : 1;
  product.c = tile.diagonal ? sums : row_of<float>(p.gram, tile.row) + tile.col;
  product.ldc = tile.diagonal ? tile.cols : p.gram.stride;
  return product;
}

Status exact_gram(const Execution& execution, const GramAccumulateParams& p, const std::vector<Tile>& tiles,
                  uint64_t tile_bytes) {
  SCROOGE_RETURN_IF_ERROR(execution.scratch.prepare(0, tile_bytes));
  return execution.for_each(static_cast<int64_t>(tiles.size()), [&](int64_t index, int worker) {
    const Tile& tile = tiles[static_cast<size_t>(index)];
    auto* sums = reinterpret_cast<float*>(execution.scratch.worker(worker));
    auto product = tile_product<Product>(p, tile, sums);
    product.k = p.a.rows;
    product.a = row_of<float>(p.a, 0) + tile.row;
    product.lda = p.a.stride;
    product.b = row_of<float>(p.b, 0) + tile.col;
    product.ldb = p.b.stride;
    SCROOGE_RETURN_IF_ERROR(execution.product.multiply(product));
    if (tile.diagonal) add_upper(p, tile, sums);
    return Status();
  });
}

Status fast_gram(const Execution& execution, const GramAccumulateParams& p, const std::vector<Tile>& tiles,
                 uint64_t tile_bytes) {
  const Tiling chunks(p.a.rows, kGramTokens, 16);
  const bool same = p.symmetric;
  Carver sizes;
  sizes.take<uint16_t>(chunks.size * p.a.cols);
  if (!same) sizes.take<uint16_t>(chunks.size * p.b.cols);
  SCROOGE_RETURN_IF_ERROR(execution.scratch.prepare(sizes.used(), tile_bytes));
  Carver carver(execution.scratch.shared());
  auto* a = carver.take<uint16_t>(chunks.size * p.a.cols);
  auto* b = same ? a : carver.take<uint16_t>(chunks.size * p.b.cols);
  for (int64_t chunk = 0; chunk < chunks.count; ++chunk) {
    const int64_t first = chunks.begin(chunk);
    SCROOGE_RETURN_IF_ERROR(
        execution.for_each_row(chunks.length(chunk), p.a.cols + (same ? 0 : p.b.cols), [&](int64_t t) {
          float_to_bf16_row(row_of<float>(p.a, first + t), a + t * p.a.cols, p.a.cols);
          if (!same) float_to_bf16_row(row_of<float>(p.b, first + t), b + t * p.b.cols, p.b.cols);
        }));
    const auto run_tile = [&](int64_t index, int worker) {
      const Tile& tile = tiles[static_cast<size_t>(index)];
      auto* sums = reinterpret_cast<float*>(execution.scratch.worker(worker));
      auto product = tile_product<Bf16Product>(p, tile, sums);
      product.k = chunks.length(chunk);
      product.a = a + tile.row;
      product.lda = p.a.cols;
      product.b = b + tile.col;
      product.ldb = p.b.cols;
      SCROOGE_RETURN_IF_ERROR(execution.product.multiply_bf16(product, worker));
      if (tile.diagonal) add_upper(p, tile, sums);
      return Status();
    };
    SCROOGE_RETURN_IF_ERROR(execution.for_each(static_cast<int64_t>(tiles.size()), run_tile));
  }
  return {};
}

// The lower triangle from the upper one, in square blocks that stay in cache. A task owns the rows it writes, and reads
// only what no task writes.
Status mirror(const Execution& execution, const Matrix& gram) {
  constexpr int64_t kBlock = 32;
  const int64_t blocks = (gram.rows + kBlock - 1) / kBlock;
  return execution.pool.parallel_for(blocks, [&](int64_t index, int) {
    const int64_t end = std::min(gram.rows, (index + 1) * kBlock);
    for (int64_t first = 0; first < end; first += kBlock) {
      for (int64_t r = index * kBlock; r < end; ++r) {
        float* to = row_of<float>(gram, r);
        const int64_t last = std::min(r, first + kBlock);
        for (int64_t c = first; c < last; ++c) to[c] = row_of<float>(gram, c)[r];
      }
    }
  });
}

}  // namespace

Status CpuDevice::gram_accumulate(const GramAccumulateParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.a.rows > 0 && p.gram.rows > 0 && p.gram.cols > 0) {
    const std::vector<Tile> tiles = tiles_of(p);
    uint64_t tile_bytes = 0;
    for (const Tile& tile : tiles) {
      if (tile.diagonal) tile_bytes = std::max<uint64_t>(tile_bytes, tile.rows * tile.cols * sizeof(float));
    }
    SCROOGE_RETURN_IF_ERROR(execution().fast(p.precision) ? fast_gram(execution(), p, tiles, tile_bytes)
                                                          : exact_gram(execution(), p, tiles, tile_bytes));
  }
  return p.mirror ? mirror(execution(), p.gram) : Status();
}

}  // namespace scrooge::backend::cpu
