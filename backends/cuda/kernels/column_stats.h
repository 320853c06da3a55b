// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/view.h"

namespace scrooge::backend::cuda {

// Rows of x in chunks of `chunk_rows`; a chunk leaves three rows in `partial`: sum |x|, sum x, max |x|.
struct ColumnStatsArguments {
  MatrixView<const float> x;
  MatrixView<double> partial;
  int64_t chunk_rows;
};

struct ColumnTotalsArguments {
  MatrixView<const double> partial;
  VectorView<float> sum_abs, sum, max_abs;  // absent ones have the address 0
};

}  // namespace scrooge::backend::cuda
