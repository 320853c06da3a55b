// SPDX-License-Identifier: Apache-2.0
// The parts of the factorization that are not products: what lies between the f32 matrices and blocks of f64, and the
// work on tiles of 64 by 64. ops/gram_factor.cc puts them together.
#include "backends/cuda/kernels/gram_factor.h"

#include "backends/cuda/kernels/block.cuh"

namespace scrooge::backend::cuda {
namespace {

constexpr int kTile = kFactorTile;

// body(row, column) for every element of `rows` by `cols`; launch: 256 threads, x over columns, y over rows.
template <typename Body>
__device__ __forceinline__ void for_each_element(int64_t rows, int64_t cols, const Body& body) {
  const int64_t column = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= cols) return;
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) body(row, column);
}

// Where (a, b) of L has its value, H before it and L^-1 after it; its remainder is at (a, b).
__device__ __forceinline__ float& value_at(const MatrixView<float>& factor, int64_t a, int64_t b) {
  return factor.row(factor.rows - 1 - a)[factor.rows - 1 - b];
}

}  // namespace

// One block.
SCROOGE_KERNEL(scrooge_factor_trace, 256, FactorArguments) {
  const MatrixView<const float>& gram = args.at.gram;
  double trace = 0;
  for (int64_t i = threadIdx.x; i < gram.rows; i += blockDim.x) trace += static_cast<double>(gram.row(i)[i]);
  trace = block_sum(trace, dynamic_shared<double>());
  if (threadIdx.x == 0) {
    args.at.numbers.data()[0] = args.damping * trace / static_cast<double>(gram.rows);
    args.at.numbers.data()[1] = 0;
  }
}

// The upper triangle of the permuted Gram matrix, where that is another matrix.
SCROOGE_KERNEL(scrooge_factor_gather, 256, FactorArguments) {
  const int32_t* const order = args.at.order.data();
  for_each_element(args.at.factor.rows, args.at.factor.cols, [&](int64_t i, int64_t j) {
    if (j >= i) args.at.factor.row(i)[j] = args.at.gram.row(order[i])[order[j]];
  });
}

// In place: the columns of all rows, slab by slab of rows, ...
SCROOGE_KERNEL(scrooge_factor_columns, 256, FactorSlabArguments) {
  const int32_t* const order = args.order.data();
  for_each_element(args.room.rows, args.room.cols,
                   [&](int64_t r, int64_t c) { args.room.row(r)[c] = args.slab.row(r)[order[c]]; });
}

// ... and then the rows, slab by slab of columns, of which only the upper triangle is wanted.
SCROOGE_KERNEL(scrooge_factor_rows, 256, FactorSlabArguments) {
  const int32_t* const order = args.order.data();
  for_each_element(args.room.rows, args.room.cols, [&](int64_t r, int64_t c) {
    if (r <= args.first + c) args.room.row(r)[c] = args.slab.row(order[r])[c];
  });
}

SCROOGE_KERNEL(scrooge_factor_put_columns, 256, FactorSlabArguments) {
  for_each_element(args.room.rows, args.room.cols,
                   [&](int64_t r, int64_t c) { args.slab.row(r)[c] = args.room.row(r)[c]; });
}

SCROOGE_KERNEL(scrooge_factor_put_rows, 256, FactorSlabArguments) {
  for_each_element(args.room.rows, args.room.cols, [&](int64_t r, int64_t c) {
    if (r <= args.first + c) args.slab.row(r)[c] = args.room.row(r)[c];
  });
}

// The lower triangle of the reversed and damped H; zeros above it.
SCROOGE_KERNEL(scrooge_factor_load_gram, 256, FactorBlockArguments) {
  for_each_element(args.block.rows, args.block.cols, [&](int64_t r, int64_t c) {
    const int64_t a = args.row + r;
    const int64_t b = args.column + c;
    double value = 0;
    if (b <= a) value = static_cast<double>(value_at(args.at.factor, a, b));
    if (b == a) value += args.at.numbers.data()[0];
    args.block.row(r)[c] = value;
  });
}

// L below its diagonal, kept as pairs of f32; zeros elsewhere.
SCROOGE_KERNEL(scrooge_factor_load, 256, FactorBlockArguments) {
  for_each_element(args.block.rows, args.block.cols, [&](int64_t r, int64_t c) {
    const int64_t a = args.row + r;
    const int64_t b = args.column + c;
    double value = 0;
    if (b < a) {
      value = static_cast<double>(value_at(args.at.factor, a, b)) + static_cast<double>(args.at.factor.row(a)[b]);
    }
    args.block.row(r)[c] = value;
  });
}

SCROOGE_KERNEL(scrooge_factor_store, 256, FactorBlockArguments) {
  for_each_element(args.block.rows, args.block.cols, [&](int64_t r, int64_t c) {
    const int64_t a = args.row + r;
    const int64_t b = args.column + c;
    if (b >= a) return;
    const double exact = args.block.row(r)[c];
    const float value = static_cast<float>(exact);
    value_at(args.at.factor, a, b) = value;
    args.at.factor.row(a)[b] = static_cast<float>(exact - static_cast<double>(value));
  });
}

SCROOGE_KERNEL(scrooge_factor_identity, 256, FactorBlockArguments) {
  for_each_element(args.block.rows, args.block.cols,
                   [&](int64_t r, int64_t c) { args.block.row(r)[c] = r == c ? 1.0 : 0.0; });
}

// Columns of L^-1 in the place of those of L.
SCROOGE_KERNEL(scrooge_factor_store_inverse, 256, FactorBlockArguments) {
  for_each_element(args.block.rows, args.block.cols, [&](int64_t r, int64_t c) {
    const int64_t a = args.row + r;
    const int64_t b = args.column + c;
    if (b <= a) value_at(args.at.factor, a, b) = static_cast<float>(args.block.row(r)[c]);
  });
}

// The lower triangle of a diagonal tile becomes its Cholesky factor, and `inverse` that one's inverse, with zeros above
// it. One block.
SCROOGE_KERNEL(scrooge_factor_tile, 256, FactorTileArguments) {
  double* const tile = dynamic_shared<double>();
  double* const inverse = tile + kTile * kTile;
  const int size = static_cast<int>(args.block.rows);
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < size * size; i += 256) {
    tile[i / size * kTile + i % size] = args.block.row(i / size)[i % size];
  }
  for (int j = 0; j < size; ++j) {
    __syncthreads();
    const double pivot = tile[j * kTile + j];
    const bool positive = pivot > 0 && pivot <= 0x1.fffffffffffffp1023;
    if (!positive && thread == 0) args.numbers.data()[1] = 1;
    const double root = sqrt(pivot);
    for (int i = j + 1 + thread; i < size; i += 256) tile[i * kTile + j] /= root;
    __syncthreads();
    if (thread == 0) tile[j * kTile + j] = root;
    const int rest = size - j - 1;
    for (int at = thread; at < rest * rest; at += 256) {
      const int i = j + 1 + at / rest;
      const int p = j + 1 + at % rest;
      if (p <= i) tile[i * kTile + p] -= tile[i * kTile + j] * tile[p * kTile + j];
    }
  }
  __syncthreads();
  if (thread < size) {
    const int c = thread;
    for (int i = 0; i < size; ++i) {
      double sum = i == c ? 1 : 0;
      for (int p = c; p < i; ++p) sum -= tile[i * kTile + p] * inverse[p * kTile + c];
      inverse[i * kTile + c] = i < c ? 0 : sum / tile[i * kTile + i];
    }
  }
  __syncthreads();
  for (int i = thread; i < size * size; i += 256) {
    const int r = i / size;
    const int c = i % size;
    if (c <= r) args.block.row(r)[c] = tile[r * kTile + c];
    args.inverse.row(r)[c] = inverse[r * kTile + c];
  }
}

// Rows below a diagonal tile, 64 a block: block = block inverse^T. A thread has four rows and four columns.
SCROOGE_KERNEL(scrooge_factor_solve, 256, FactorTileArguments) {
  double* const rows = dynamic_shared<double>();
  double* const inverse = rows + kTile * kTile;  // transposed
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kTile;
  const int size = static_cast<int>(args.block.cols);
  for (int i = static_cast<int>(threadIdx.x); i < kTile * kTile; i += 256) {
    const int r = i / kTile;
    const int c = i % kTile;
    rows[i] = first + r < args.block.rows && c < size ? args.block.row(first + r)[c] : 0.0;
    inverse[c * kTile + r] = r < size && c < size ? args.inverse.row(r)[c] : 0.0;
  }
  __syncthreads();
  const int row = static_cast<int>(threadIdx.x) / 16 * 4;
  const int column = static_cast<int>(threadIdx.x) % 16;
  double sums[4][4] = {};
  for (int p = 0; p < size; ++p) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const double factor = rows[(row + i) * kTile + p];
#pragma unroll
      for (int j = 0; j < 4; ++j) sums[i][j] = fma(factor, inverse[p * kTile + column + 16 * j], sums[i][j]);
    }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int c = column + 16 * j;
      if (first + row + i < args.block.rows && c < size) args.block.row(first + row + i)[c] = sums[i][j];
    }
  }
}

// Rows of L^-1, 64 columns a block: block = inverse block.
SCROOGE_KERNEL(scrooge_factor_apply, 256, FactorTileArguments) {
  double* const columns = dynamic_shared<double>();
  double* const inverse = columns + kTile * kTile;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kTile;
  const int size = static_cast<int>(args.block.rows);
  for (int i = static_cast<int>(threadIdx.x); i < kTile * kTile; i += 256) {
    const int r = i / kTile;
    const int c = i % kTile;
    columns[i] = r < size && first + c < args.block.cols ? args.block.row(r)[first + c] : 0.0;
    inverse[i] = r < size && c < size ? args.inverse.row(r)[c] : 0.0;
  }
  __syncthreads();
  const int row = static_cast<int>(threadIdx.x) / 16 * 4;
  const int column = static_cast<int>(threadIdx.x) % 16;
  double sums[4][4] = {};
  for (int p = 0; p < size; ++p) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const double factor = inverse[(row + i) * kTile + p];
#pragma unroll
      for (int j = 0; j < 4; ++j) sums[i][j] = fma(factor, columns[p * kTile + column + 16 * j], sums[i][j]);
    }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int64_t c = first + column + 16 * j;
      if (row + i < size && c < args.block.cols) args.block.row(row + i)[c] = sums[i][j];
    }
  }
}

}  // namespace scrooge::backend::cuda
