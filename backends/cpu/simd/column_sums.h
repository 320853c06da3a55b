// SPDX-License-Identifier: Apache-2.0
// Sums down the columns of a strip.
#pragma once

#include <cstdint>

namespace scrooge::backend::cpu {

// Adds over the rows of x[rows, cols]: sum += x, sum_abs += |x|, max_abs = max(max_abs, |x|), one element per column.
// 32 rows at a time are summed in f32, those sums in f64.
void add_column_sums(const float* x, int64_t stride, int64_t rows, int64_t cols, double* sum, double* sum_abs,
                     float* max_abs);

}  // namespace scrooge::backend::cpu
