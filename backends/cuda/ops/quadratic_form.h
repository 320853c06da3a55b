// SPDX-License-Identifier: Apache-2.0
// e G e^T of many rows e, with half the products: G is symmetric, so by panels of columns
//   e G e^T = sum over panels J of (e (2 G[above J, J], G[J, J])) . e_J.
// Products in bf16 with f32 sums or in f32; the last sum in f64, where panels follow each other in order.
#pragma once

#include "backends/cuda/kernels/quadratic_form.h"
#include "backends/cuda/ops/operands.h"
#include "backends/cuda/ops/scratch_parts.h"

namespace scrooge::backend::cuda {

class QuadraticForm {
 public:
  // REQUIRES: gram is square and not empty; n rows of errors, at least one. Scratch is taken from the carver; without a
  // base the object only counts.
  QuadraticForm(Work& work, const Matrix& gram, int64_t n, bool bf16, ScratchCarver& carver);
  static uint64_t scratch_bytes(int64_t n, int64_t k);

  // Where a tile's errors are to be put: up to tile_rows() rows.
  const Errors& errors() const { return errors_; }
  int64_t tile_rows() const { return tile_rows_; }

  // The panels of G do not all fit the scratch where K is very large: for pass after pass, prepare() makes one's panels
  // ready, and add() adds what they give for a tile of `rows` errors to sums[rows], f64.
  int passes() const { return passes_; }
  Status prepare(int pass);
  Status add(int64_t rows, CuAddress sums);

 private:
  struct Panel {
    int64_t begin = 0, width = 0;
    Operand operand;
  };

  int64_t panels() const { return ceil_div(gram_.cols, panel_); }
  uint64_t panel_bytes(int64_t index) const;

  Work& work_;
  const Matrix& gram_;
  const bool bf16_;
  int64_t panel_ = 0;  // columns
  int64_t tile_rows_ = 0;
  int passes_ = 0;
  std::vector<int64_t> pass_ends_;  // panels
  std::vector<Panel> ready_;
  Errors errors_{};
  CuAddress panel_room_ = 0;
  CuAddress product_ = 0;
};

}  // namespace scrooge::backend::cuda
