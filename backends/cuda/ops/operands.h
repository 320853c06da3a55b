// SPDX-License-Identifier: Apache-2.0
// Matrices made ready for cuBLASLt: bf16 copies, and f32 copies of what is not aligned.
#pragma once

#include "backends/cuda/kernels/product.h"
#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"

namespace scrooge::backend::cuda {

// As cuBLASLt gets it.
struct Operand {
  CuAddress address = 0;
  int64_t stride = 0;
};

// Elements from row to row of a copy: rows start at multiples of 16 bytes for every element type.
constexpr int64_t padded(int64_t cols) { return ceil_div(cols, 8) * 8; }

// Address and rows at multiples of 16 bytes.
bool is_aligned(const Matrix& m);

// Bytes that make_operand() wants for rows * cols elements, at most.
constexpr uint64_t operand_bytes(int64_t rows, int64_t cols, bool bf16) {
  return static_cast<uint64_t>(rows) * static_cast<uint64_t>(padded(cols)) * (bf16 ? 2 : 4);
}

// The matrix itself where it will do, else a copy at `room`. Columns before `doubled_end` are doubled, which always
// takes a copy.
Result<Operand> make_operand(Work& work, const Matrix& from, bool bf16, CuAddress room, int64_t doubled_end = 0);

// y = product + (add ? y : 0) + bias; `product` may have the address 0.
Status write_output(Work& work, const Operand& product, const Matrix& y, const Vector& bias, bool add,
                    bool upper_only = false);

// Rows of a piece whose elements take at most `bytes`: a multiple of `step`, one at least, unless that is all rows.
int64_t piece_rows(int64_t rows, int64_t cols, uint64_t element, uint64_t bytes, int64_t step);

}  // namespace scrooge::backend::cuda
