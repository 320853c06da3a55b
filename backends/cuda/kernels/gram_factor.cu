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

// body(row, column of a 32 by 32 square's element, transposed or not) in two rounds with a barrier between them: read()
// gives what write() gets with row and column exchanged. Launch: 256 threads, x and y over squares.
template <typename Read, typename Write>
__device__ __forceinline__ void transpose(int64_t rows, int64_t cols, const Read& read, const Write& write) {
  float* const square = dynamic_shared<float>();  // [32][33]
  const int64_t first_column = static_cast<int64_t>(blockIdx.x) * kWarp;
  for (int64_t first = static_cast<int64_t>(blockIdx.y) * kWarp; first < rows;
       first += static_cast<int64_t>(gridDim.y) * kWarp) {
    __syncthreads();
    for (int r = warp(); r < kWarp; r += 8) {
      if (first + r < rows && first_column + lane() < cols) {
        square[r * 33 + lane()] = read(first + r, first_column + lane());
      }
    }
    __syncthreads();
    for (int c = warp(); c < kWarp; c += 8) {
      if (first + lane() < rows && first_column + c < cols) {
        write(first + lane(), first_column + c, square[lane() * 33 + c]);
      }
    }
  }
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

// The lower triangle of the reversed H, undamped, into by_channel.
SCROOGE_KERNEL(scrooge_factor_arrange, 256, FactorArguments) {
  const int64_t size = args.at.gram.rows;
  for_each_element(size, size, [&](int64_t a, int64_t b) {
    if (b > a) return;
    const int32_t row = args.at.channel.data()[a];
    const int32_t column = args.at.channel.data()[b];
    args.at.by_channel.row(a)[b] = row < column ? args.at.gram.row(row)[column] : args.at.gram.row(column)[row];
  });
}

// The lower triangle of the reversed and damped H; zeros above it.
SCROOGE_KERNEL(scrooge_factor_load_gram, 256, FactorBlockArguments) {
  for_each_element(args.block.rows, args.block.cols, [&](int64_t r, int64_t c) {
    const int64_t a = args.row + r;
    const int64_t b = args.column + c;
    double value = 0;
    if (b <= a) value = static_cast<double>(args.at.by_channel.row(a)[b]);
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
      value = static_cast<double>(args.at.by_step.row(a)[b]) + static_cast<double>(args.at.by_channel.row(a)[b]);
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
    args.at.by_step.row(a)[b] = value;
    args.at.by_channel.row(a)[b] = static_cast<float>(exact - static_cast<double>(value));
  });
}

SCROOGE_KERNEL(scrooge_factor_identity, 256, FactorBlockArguments) {
  for_each_element(args.block.rows, args.block.cols,
                   [&](int64_t r, int64_t c) { args.block.row(r)[c] = r == c ? 1.0 : 0.0; });
}

// Columns of L^-1 into rows of by_step, on and above the diagonal. The block starts on the diagonal.
SCROOGE_KERNEL(scrooge_factor_store_inverse, 256, FactorBlockArguments) {
  transpose(
      args.block.rows, args.block.cols, [&](int64_t r, int64_t c) { return static_cast<float>(args.block.row(r)[c]); },
      [&](int64_t r, int64_t c, float value) {
        if (r >= c) args.at.by_step.row(args.column + c)[args.row + r] = value;
      });
}

// u by channel from the inverse in by_step's upper triangle.
SCROOGE_KERNEL(scrooge_factor_by_channel, 256, FactorArguments) {
  const int64_t size = args.at.gram.rows;
  for_each_element(size, size, [&](int64_t b, int64_t a) {
    const float value = a < b ? 0.0f : args.at.by_step.row(b)[a];
    args.at.by_channel.row(args.at.channel.data()[b])[size - 1 - a] = value;
  });
}

SCROOGE_KERNEL(scrooge_factor_by_step, 256, FactorArguments) {
  const int64_t size = args.at.gram.rows;
  transpose(
      size, size, [&](int64_t r, int64_t c) { return args.at.by_channel.row(r)[c]; },
      [&](int64_t r, int64_t c, float value) { args.at.by_step.row(c)[r] = value; });
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
