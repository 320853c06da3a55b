// SPDX-License-Identifier: Apache-2.0
// One linear's weight W[N,K] as the forward and the search see it: tiles of rows, one at a time. A weight may lie in
// device memory as a whole or be made tile by tile where there is no room for that; the tiles are the same either way,
// and so is every result.
#pragma once

#include <algorithm>
#include <array>

#include "src/backend/device.h"
#include "src/base/result.h"

namespace scrooge::model {

// Rows of a tile: about 16 MiB of f32, a function of the width alone.
inline int64_t tile_rows(int64_t cols) {
  constexpr int64_t kFloats = int64_t{1} << 22;
  constexpr int64_t kStep = 64;
  return std::max(kStep, kFloats / std::max<int64_t>(cols, 1) / kStep * kStep);
}

// Rows of the largest tile of a weight [rows, cols].
inline int64_t tile_rows(int64_t rows, int64_t cols) { return std::min(rows, tile_rows(cols)); }

// One thread at a time.
class WeightRows {
 public:
  virtual ~WeightRows() = default;
  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  // f32 [count, cols], valid until the next load() of any weight of the block. REQUIRES: a tile of for_each_tile().
  virtual Result<backend::Matrix> load(int64_t first, int64_t count) = 0;

 protected:
  WeightRows(int64_t rows, int64_t cols) : rows_(rows), cols_(cols) {}

 private:
  int64_t rows_;
  int64_t cols_;
};

class ResidentWeight final : public WeightRows {
 public:
  explicit ResidentWeight(const backend::Matrix& w) : WeightRows(w.rows, w.cols), w_(w) {}
  Result<backend::Matrix> load(int64_t first, int64_t count) override { return w_.row_range(first, count); }
  const backend::Matrix& matrix() const { return w_; }

 private:
  backend::Matrix w_;
};

// Calls visit(first, tile) for the tiles of a weight in order, until one fails.
template <typename Visit>
Status for_each_tile(WeightRows& weight, const Visit& visit) {
  const int64_t step = tile_rows(weight.cols());
  for (int64_t first = 0; first < weight.rows(); first += step) {
    SCROOGE_ASSIGN_OR_RETURN(const backend::Matrix tile, weight.load(first, std::min(step, weight.rows() - first)));
    SCROOGE_RETURN_IF_ERROR(visit(first, tile));
  }
  return {};
}

}  // namespace scrooge::model
