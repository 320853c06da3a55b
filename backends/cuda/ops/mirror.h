// SPDX-License-Identifier: Apache-2.0
// The lower triangle of a square matrix from its upper one.
#pragma once

#include <algorithm>

#include "backends/cuda/kernels/product.h"
#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"

namespace scrooge::backend::cuda {

inline Status mirror(Work& work, const Matrix& square) {
  constexpr int64_t kMostRows = 32768;
  const int64_t tiles = ceil_div(square.rows, 32);
  return work.launch({"product", "scrooge_mirror"},
                     {256, tiles, std::min(tiles, kMostRows), 1, 32 * 33 * sizeof(float)},
                     MirrorArguments{view<float>(square)});
}

}  // namespace scrooge::backend::cuda
