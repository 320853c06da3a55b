// SPDX-License-Identifier: Apache-2.0
// How gram_loss and scale_search_loss cut e G e^T: the Gram matrix by rows, as a binding holds them; each window's
// tiles of columns, from its first row on, give a slot of parts, which are summed row by row.
#pragma once

#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"

namespace scrooge::backend::vulkan {

struct QuadraticForm {
  QuadraticForm(const PhysicalDevice& device, const Matrix& gram)
      : tile(product_tile(device)), step(whole_tiles(Windows(device), gram, ProductTile::kCols)) {
    for (int64_t first = 0; first < gram.rows; first += step) slots += tiles(gram.rows - first);
    rows = quadratic_rows(gram.cols, slots, tile.rows());
  }
  static int64_t tiles(int64_t cols) { return (cols + ProductTile::kCols - 1) / ProductTile::kCols; }
  uint64_t part_bytes(int64_t row_count) const { return scratch_part(slots * row_count); }

  ProductTile tile;
  int64_t step;       // rows of a window of the Gram matrix
  int64_t slots = 0;  // of parts, a row
  int64_t rows = 0;   // at a time
};

}  // namespace scrooge::backend::vulkan
