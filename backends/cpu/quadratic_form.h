// SPDX-License-Identifier: Apache-2.0
// e G e^T for many rows e at once: the kernel under the scale search, the clip search and the Gram loss.
//
// G is symmetric, so with its columns cut into blocks J only the part on and above the diagonal blocks is multiplied:
// e G e^T = sum over J of 2 (e_{<J} G_{<J,J}) . e_J + (e_J G_JJ) . e_J. Products in f32 (or bf16 with f32 sums), the
// dot products and sums in f64.
#pragma once

#include "backends/cpu/execution.h"

namespace scrooge::backend::cpu {

struct QuadraticForm {
  int64_t rows = 0;
  int64_t k = 0;
  const float* e = nullptr;     // [rows, k], leading dimension k
  const float* gram = nullptr;  // [k, k]
  int64_t gram_stride = 0;
  bool fast = false;
};

// Rows that make one task for width k; fewer for wide matrices, so that scratch stays bounded.
int64_t quadratic_form_rows(int64_t k);
// Bytes that quadratic_form needs for up to `rows` rows.
uint64_t quadratic_form_scratch(int64_t rows, int64_t k, bool fast);
// out[r] = e_r G e_r^T. REQUIRES: rows >= 1, k >= 1. Runs in the calling task.
Status quadratic_form(const Execution& execution, int worker, const QuadraticForm& form, std::byte* scratch,
                      double* out);

}  // namespace scrooge::backend::cpu
