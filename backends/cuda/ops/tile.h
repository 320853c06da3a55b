// SPDX-License-Identifier: Apache-2.0
// The launch of kernels/product_tile.cuh.
#pragma once

#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"

namespace scrooge::backend::cuda {

// x over columns, y over rows. REQUIRES: rows up to 8 million.
inline LaunchShape tile_shape(int64_t columns, int64_t rows) {
  constexpr int64_t kTile = 128;
  constexpr int64_t kShared = 2 * 16 * (kTile + 4) * 4;
  return {256, ceil_div(columns, kTile), ceil_div(rows, kTile), 1, kShared};
}

}  // namespace scrooge::backend::cuda
