// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/view.h"

namespace scrooge::backend::cuda {

inline constexpr int kFactorTile = 64;
inline constexpr int64_t kFactorTileBytes = int64_t{kFactorTile} * kFactorTile * 8;

// K by K. The factorization counts rows and columns from the last step: (a, b) stands for the steps K - 1 - a and
// K - 1 - b, and b <= a is the lower triangle there, the upper one of `factor` (ops/gram_factor.cc).
struct FactorMatrices {
  MatrixView<const float> gram;
  MatrixView<float> factor;
  VectorView<const int32_t> order;
  VectorView<double> numbers;  // 0: what is added to the diagonal; 1: not 0 when a pivot was not positive
};

struct FactorArguments {
  FactorMatrices at;
  double damping;
};

// Rows, or columns, of the matrix that is permuted in place, and where they are meanwhile. `first`: of the columns.
struct FactorSlabArguments {
  MatrixView<float> slab, room;
  VectorView<const int32_t> order;
  int64_t first;
};

// A block of f64 that stands for elements from (row, column) of K by K on.
struct FactorBlockArguments {
  FactorMatrices at;
  MatrixView<double> block;
  int64_t row, column;
};

// A block, and a tile that is the inverse of a diagonal tile of L.
struct FactorTileArguments {
  MatrixView<double> block;
  MatrixView<double> inverse;
  VectorView<double> numbers;
};

}  // namespace scrooge::backend::cuda
