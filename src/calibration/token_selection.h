// SPDX-License-Identifier: Apache-2.0
// Which calibration tokens enter the statistics: all but those held out for checking, the most extreme ones, and those
// beyond a number per row.
#pragma once

#include <span>
#include <vector>

#include "src/backend/op_params.h"
#include "src/calibration/hidden_states.h"

namespace scrooge::calibration {

struct SelectionOptions {
  double held_out = 10;    // percent of the tokens, in whole sequences
  double outliers = 0;     // percent of the tokens
  int64_t per_sample = 0;  // tokens of a row, evenly spaced; 0: all
};

// Rows first, first + step, ... of a chunk.
struct RowSlice {
  int64_t first = 0;
  int64_t count = 0;
  int64_t step = 1;

  backend::Matrix of(const backend::Matrix& m) const {
    backend::Matrix part = m.row_range(first, count);
    part.stride *= step;
    return part;
  }
};

// The widest chunks of which a number comes about as near to `percent` as whole sequences do; those of Chunking::of
// where they do, or where nothing can be held out.
Chunking chunking_for(int64_t sequences, int64_t sequence, double percent);

// One thread at a time.
class TokenSelection {
 public:
  TokenSelection() = default;
  // Every tenth chunk is held out where 10 percent are asked for and that comes near; else the number of chunks that
  // comes nearest, evenly spread; none where fewer than 64 tokens of these are selected.
  TokenSelection(const Chunking& chunking, const SelectionOptions& options);

  bool held_out(int64_t chunk) const { return held_out_[static_cast<size_t>(chunk)]; }
  bool any_held_out() const { return held_out_tokens() > 0; }
  uint64_t held_out_tokens() const;    // all tokens of the chunks held out
  uint64_t statistics_tokens() const;  // that are selected of the others
  std::span<const RowSlice> slices(int64_t chunk) const { return slices_[static_cast<size_t>(chunk)]; }

  // Leaves out the tokens with the largest of scores[tokens], the earlier token first among equals; what an earlier
  // call left out comes back.
  void drop_outliers(std::span<const float> scores);

 private:
  uint64_t selected_tokens(bool held_out_ones) const;
  void select(const std::vector<bool>& dropped);

  Chunking chunking_;
  SelectionOptions options_;
  std::vector<bool> held_out_;
  std::vector<std::vector<RowSlice>> slices_;  // of each chunk
};

}  // namespace scrooge::calibration
