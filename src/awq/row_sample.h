// SPDX-License-Identifier: Apache-2.0
// The rows of a linear that candidates are ranked on, where all of them would cost more than they tell: every fourth,
// or all of a linear that has few. Tiles begin at multiples of four, so that a sample of tiles is one of the whole.
#pragma once

#include "src/backend/device.h"

namespace scrooge::awq {

class RowSample {
 public:
  explicit RowSample(int64_t rows) : rows_(rows), step_(rows < kMinimumRows ? 1 : kStep) {}

  // The rows of a tile, as a view.
  backend::Matrix of(backend::Matrix tile) const {
    tile.rows = (tile.rows + step_ - 1) / step_;
    tile.stride *= step_;
    return tile;
  }
  // How many there are, and of a tile whose first row is `first` the index of the first.
  int64_t rows() const { return (rows_ + step_ - 1) / step_; }
  int64_t index(int64_t first) const { return first / step_; }
  // How many rows of the linear each row of the sample stands for.
  double share() const { return static_cast<double>(rows_) / static_cast<double>(rows()); }

 private:
  static constexpr int64_t kStep = 4;
  static constexpr int64_t kMinimumRows = 256;
  int64_t rows_;
  int64_t step_;
};

}  // namespace scrooge::awq
