// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/token_selection.h"

#include <cmath>
#include <numeric>

namespace scrooge::calibration {

namespace {

// Fewer decide nothing: what a linear loses on them is what one or two of them make it lose.
constexpr int64_t kFewestTokens = 64;

int64_t tokens_of(const Chunking& chunking, const std::vector<bool>& chosen) {
  int64_t tokens = 0;
  for (int64_t chunk = 0; chunk < chunking.chunks(); ++chunk) {
    if (chosen[static_cast<size_t>(chunk)]) tokens += chunking.tokens_in(chunk);
  }
  return tokens;
}

std::vector<bool> chunks_to_hold_out(const Chunking& chunking, double percent) {
  const int64_t chunks = chunking.chunks();
  std::vector<bool> chosen(static_cast<size_t>(chunks), false);
  const double wanted = static_cast<double>(chunks) * percent / 100;
  // The nearest number, the lower one of two, but one rather than none.
  const auto nearest = static_cast<int64_t>(std::ceil(wanted - 0.5)) + (wanted == 0.5 ? 1 : 0);
  const int64_t count = std::min(nearest, chunks - 1);
  if (!(percent > 0) || count < 1) return chosen;
  const auto period = std::max<int64_t>(2, std::llround(100 / percent));
  const int64_t every = chunks / period;
  if (every == count || std::fabs(static_cast<double>(every) - wanted) <= 0.1 * wanted) {
    for (int64_t chunk = period - 1; chunk < chunks; chunk += period) chosen[static_cast<size_t>(chunk)] = true;
  } else {
    for (int64_t i = 1; i <= count; ++i) chosen[static_cast<size_t>(i * chunks / count - 1)] = true;
  }
  if (tokens_of(chunking, chosen) < kFewestTokens) chosen.assign(chosen.size(), false);
  return chosen;
}

}  // namespace

Chunking chunking_for(int64_t sequences, int64_t sequence, double percent) {
  const Chunking widest = Chunking::of(sequences, sequence);
  const auto sized = [&](int64_t size) { return Chunking{sequences, sequence, size}; };
  const auto miss = [&](int64_t size) {
    const Chunking chunking = sized(size);
    const int64_t tokens = tokens_of(chunking, chunks_to_hold_out(chunking, percent));
    // Where none and some come as near, some do.
    if (tokens == 0) return percent * (1 + 1e-9);
    return std::fabs(100 * static_cast<double>(tokens) / static_cast<double>(chunking.tokens()) - percent);
  };
  double near = percent / 10;
  if (!(percent > 0)) return widest;
  double least = miss(widest.sequences_per_chunk);
  if (least <= near) return widest;
  for (int64_t size = 1; size <= widest.sequences_per_chunk; ++size) least = std::min(least, miss(size));
  near = std::max(near, least);
  int64_t size = widest.sequences_per_chunk;
  while (size > 1 && miss(size) > near) --size;
  return sized(size);
}

TokenSelection::TokenSelection(const Chunking& chunking, const SelectionOptions& options)
    : chunking_(chunking), options_(options), held_out_(chunks_to_hold_out(chunking, options.held_out)) {
  select({});
  if (selected_tokens(true) < static_cast<uint64_t>(kFewestTokens)) held_out_.assign(held_out_.size(), false);
}

uint64_t TokenSelection::held_out_tokens() const { return static_cast<uint64_t>(tokens_of(chunking_, held_out_)); }

uint64_t TokenSelection::statistics_tokens() const { return selected_tokens(false); }

uint64_t TokenSelection::selected_tokens(bool held_out_ones) const {
  int64_t tokens = 0;
  for (int64_t chunk = 0; chunk < chunking_.chunks(); ++chunk) {
    if (held_out(chunk) != held_out_ones) continue;
    for (const RowSlice& slice : slices(chunk)) tokens += slice.count;
  }
  return static_cast<uint64_t>(tokens);
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
