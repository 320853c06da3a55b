// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/view.h"

namespace scrooge::backend::cuda {

inline constexpr int kFactorTile = 64;
inline constexpr int64_t kFactorTileBytes = int64_t{kFactorTile} * kFactorTile * 8;

// K by K: the Gram matrix, and the outputs as the factorization uses them (ops/gram_factor.cc). channel[a] is the
// channel rounded (K - 1 - a)-th.
struct FactorMatrices {
  MatrixView<const float> gram;
  MatrixView<float> by_step, by_channel;
  VectorView<const int32_t> channel;
  VectorView<double> numbers;  // 0: what is added to the diagonal; 1: not 0 when a pivot was not positive
};

struct FactorArguments {
  FactorMatrices at;
  double damping;
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
