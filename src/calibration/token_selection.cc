// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/token_selection.h"

#include <cmath>
#include <numeric>

namespace scrooge::calibration {

TokenSelection::TokenSelection(const Chunking& chunking, const SelectionOptions& options)
    : chunking_(chunking), options_(options) {
  constexpr int64_t kFewestChunks = 4;
  const int64_t chunks = chunking.chunks();
  held_out_.assign(static_cast<size_t>(chunks), false);
  if (options.held_out > 0 && chunks >= kFewestChunks) {
    const int64_t period = std::min(chunks, std::max<int64_t>(2, std::llround(100 / options.held_out)));
    for (int64_t chunk = period - 1; chunk < chunks; chunk += period) held_out_[static_cast<size_t>(chunk)] = true;
  }
  select({});
}

uint64_t TokenSelection::held_out_tokens() const {
  uint64_t tokens = 0;
  for (int64_t chunk = 0; chunk < chunking_.chunks(); ++chunk) {
    if (held_out(chunk)) tokens += static_cast<uint64_t>(chunking_.tokens_in(chunk));
  }
  return tokens;
}

void TokenSelection::drop_outliers(std::span<const float> scores) {
  const auto count = static_cast<size_t>(static_cast<double>(scores.size()) * options_.outliers / 100);
  if (count == 0) return;
  std::vector<uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count) - 1, order.end(),
                   [&](uint32_t a, uint32_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  std::vector<bool> dropped(scores.size(), false);
  for (size_t i = 0; i < count; ++i) dropped[order[i]] = true;
  select(dropped);
}

// Runs of selected rows, as long as they can be: a run is one accumulation.
void TokenSelection::select(const std::vector<bool>& dropped) {
  const int64_t length = chunking_.sequence;
  const int64_t wanted = options_.per_sample > 0 ? std::min(options_.per_sample, length) : length;
  const int64_t step = wanted > 0 ? (length + wanted - 1) / wanted : 1;
  slices_.assign(static_cast<size_t>(chunking_.chunks()), {});
  for (int64_t chunk = 0; chunk < chunking_.chunks(); ++chunk) {
    std::vector<RowSlice>& slices = slices_[static_cast<size_t>(chunk)];
    const int64_t rows = chunking_.tokens_in(chunk);
    const int64_t before = chunking_.first_token(chunk);
    for (int64_t begin = 0; begin < rows; begin += length) {
      for (int64_t row = begin; row < begin + length; row += step) {
        if (!dropped.empty() && dropped[static_cast<size_t>(before + row)]) continue;
        if (!slices.empty() && slices.back().first + slices.back().count * step == row) {
          ++slices.back().count;
        } else {
          slices.push_back({row, 1, step});
        }
      }
    }
  }
}

}  // namespace scrooge::calibration
