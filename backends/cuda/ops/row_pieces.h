// SPDX-License-Identifier: Apache-2.0
// Rows of a weight matrix in pieces, so that scratch as large as the rows is bounded (but for the least piece), and the
// job can be stopped between them. A row's result does not depend on the piece it is in.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/cuda/pieces.h"
#include "src/base/status.h"

namespace scrooge::backend::cuda {

struct RowPieces {
  // `floats` are kept per row.
  RowPieces(int64_t all_rows, int64_t floats, const PieceSizes& sizes = kPieceSizes) : all(all_rows) {
    const int64_t most = static_cast<int64_t>(sizes.row_bytes / 4) / std::max<int64_t>(floats, 1);
    rows = std::min(all, std::max(sizes.row_step, most / sizes.row_step * sizes.row_step));
  }
  // part(first, count) for one piece after another.
  template <typename Part>
  Status for_each(const Part& part) const {
    for (int64_t first = 0; first < all; first += rows) {
      SCROOGE_RETURN_IF_ERROR(part(first, std::min(rows, all - first)));
    }
    return {};
  }

  int64_t all, rows;  // rows of the largest piece
};

}  // namespace scrooge::backend::cuda
