// SPDX-License-Identifier: Apache-2.0
// The rows of a linear that candidates are ranked on, where all of them would cost more than they tell.
#pragma once

#include "src/backend/device.h"

namespace scrooge::awq {

// Every fourth row, as a view; all of a matrix that has few.
inline backend::Matrix sample_rows(backend::Matrix w) {
  constexpr int64_t kStep = 4;
  constexpr int64_t kMinimumRows = 256;
  if (w.rows < kMinimumRows) return w;
  w.rows = (w.rows + kStep - 1) / kStep;
  w.stride *= kStep;
  return w;
}

// How many rows of the linear each row of the sample stands for.
inline double row_share(const backend::Matrix& w, const backend::Matrix& sample) {
  return static_cast<double>(w.rows) / static_cast<double>(sample.rows);
}

}  // namespace scrooge::awq
