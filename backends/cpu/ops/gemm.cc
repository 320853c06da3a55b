// SPDX-License-Identifier: Apache-2.0
// Tasks are tiles of 128 rows of y by up to 1536 columns (256 when there are few rows or many inputs). kFast rounds w
// to bf16 once per call, in blocks of rows of at most 4 MiB, and each x tile in its task.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/tile_sizes.h"
#include "backends/cpu/simd/convert_row.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

// What one tile adds besides the product.
void finish_tile(const GemmParams& p, int64_t row, int64_t rows, int64_t col, int64_t cols) {
  if (!p.bias) return;
  for (int64_t r = row; r < row + rows; ++r) {
    add_scaled_row(data_of<float>(p.bias) + col, 1, row_of<float>(p.y, r) + col, cols);
  }
}

// Without inputs the product is zero; the libraries want at least one.
void clear(const GemmParams& p) {
  for (int64_t r = 0; r < p.y.rows && p.beta == 0; ++r) {
    std::fill(row_of<float>(p.y, r), row_of<float>(p.y, r) + p.y.cols, 0.0f);
  }
  finish_tile(p, 0, p.y.rows, 0, p.y.cols);
}

Status exact_gemm(const Execution& execution, const GemmParams& p) {
  const Tiling rows(p.x.rows, kGemmRows, 16);
  const Tiling cols(p.w.rows, rows.count > 2 ? gemm_cols(p.x.cols) : kGemmFewRowsCols, 16);
  return execution.for_each(rows.count * cols.count, [&](int64_t index, int) {
    const int64_t row = rows.begin(index / cols.count);
    const int64_t col = cols.begin(index % cols.count);
    Product product;
    product.transpose_b = true;
    product.m = rows.length(index / cols.count);
    product.n = cols.length(index % cols.count);
    product.k = p.x.cols;
    product.a = row_of<float>(p.x, row);
    product.lda = p.x.stride;
    product.b = row_of<float>(p.w, col);
    product.ldb = p.w.stride;
    product.beta = p.beta;
    product.c = row_of<float>(p.y, row) + col;
    product.ldc = p.y.stride;
    SCROOGE_RETURN_IF_ERROR(execution.product.multiply(product));
    finish_tile(p, row, product.m, col, product.n);
    return Status();
  });
}

Status fast_gemm(const Execution& execution, const GemmParams& p) {
  const int64_t k = p.x.cols;
  const Tiling rows(p.x.rows, kGemmRows, 16);
  const Tiling blocks(p.w.rows, gemm_block_rows(k), 16);
  SCROOGE_RETURN_IF_ERROR(execution.scratch.prepare(static_cast<uint64_t>(blocks.size * k) * sizeof(uint16_t),
                                                    static_cast<uint64_t>(rows.size * k) * sizeof(uint16_t)));
  auto* w = reinterpret_cast<uint16_t*>(execution.scratch.shared());
  for (int64_t block = 0; block < blocks.count; ++block) {
    const int64_t first = blocks.begin(block);
    SCROOGE_RETURN_IF_ERROR(execution.for_each_row(
        blocks.length(block), k, [&](int64_t r) { float_to_bf16_row(row_of<float>(p.w, first + r), w + r * k, k); }));
    const Tiling cols(blocks.length(block), rows.count > 2 ? gemm_cols(k) : kGemmFewRowsCols, 16);
    const auto run_tile = [&](int64_t index, int worker) {
      const int64_t row = rows.begin(index / cols.count);
      const int64_t col = cols.begin(index % cols.count);
      auto* x = reinterpret_cast<uint16_t*>(execution.scratch.worker(worker));
      Bf16Product product;
      product.transpose_b = true;
      product.m = rows.length(index / cols.count);
      product.n = cols.length(index % cols.count);
      product.k = k;
      for (int64_t r = 0; r < product.m; ++r) float_to_bf16_row(row_of<float>(p.x, row + r), x + r * k, k);
      product.a = x;
      product.lda = k;
      product.b = w + col * k;
      product.ldb = k;
      product.beta = p.beta;
      product.c = row_of<float>(p.y, row) + first + col;
      product.ldc = p.y.stride;
      SCROOGE_RETURN_IF_ERROR(execution.product.multiply_bf16(product, worker));
      finish_tile(p, row, product.m, first + col, product.n);
      return Status();
    };
    SCROOGE_RETURN_IF_ERROR(execution.for_each(rows.count * cols.count, run_tile));
  }
  return {};
}

}  // namespace

Status CpuDevice::gemm(const GemmParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.y.rows == 0 || p.y.cols == 0) return {};
  if (p.x.cols == 0) {
    clear(p);
    return {};
  }
  return execution().fast(p.precision) ? fast_gemm(execution(), p) : exact_gemm(execution(), p);
}

}  // namespace scrooge::backend::cpu
