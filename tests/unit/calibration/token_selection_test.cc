// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/token_selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace scrooge::calibration {
namespace {

// Of chunks of `length` tokens.
std::vector<int64_t> held_out(int64_t chunks, double percent, int64_t length = 64) {
  const TokenSelection selection({chunks, length, 1}, {percent, 0, 0});
  std::vector<int64_t> result;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    if (selection.held_out(chunk)) result.push_back(chunk);
  }
  EXPECT_EQ(selection.any_held_out(), !result.empty());
  EXPECT_EQ(selection.held_out_tokens(), result.size() * static_cast<size_t>(length));
  EXPECT_EQ(selection.held_out_tokens() + selection.statistics_tokens(), static_cast<uint64_t>(chunks * length));
  return result;
}

// The rows of a chunk that enter the statistics.
std::vector<int64_t> rows(const TokenSelection& selection, int64_t chunk) {
  std::vector<int64_t> result;
  for (const RowSlice& slice : selection.slices(chunk)) {
    for (int64_t i = 0; i < slice.count; ++i) result.push_back(slice.first + i * slice.step);
  }
  return result;
}

TEST(TokenSelection, HoldsOutATenthInWholeChunks) {
  EXPECT_EQ(held_out(32, 10), (std::vector<int64_t>{9, 19, 29}));
  EXPECT_EQ(held_out(10, 10), (std::vector<int64_t>{9}));
  EXPECT_EQ(held_out(8, 10), (std::vector<int64_t>{7}));
  EXPECT_EQ(held_out(8, 50), (std::vector<int64_t>{1, 3, 5, 7}));
  const auto most = held_out(128, 10);
  ASSERT_EQ(most.size(), 12u);
  for (size_t i = 0; i < most.size(); ++i) EXPECT_EQ(most[i], static_cast<int64_t>(10 * i + 9));
}

TEST(TokenSelection, TakesTheNumberThatComesNearest) {
  EXPECT_EQ(held_out(19, 10), (std::vector<int64_t>{8, 18}));
  EXPECT_EQ(held_out(5, 40), (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(held_out(4, 25), (std::vector<int64_t>{3}));
  EXPECT_EQ(held_out(5, 10), (std::vector<int64_t>{4}));  // none and one are as near; one decides something
  EXPECT_EQ(held_out(3, 50), (std::vector<int64_t>{1}));
  for (const double percent : {1.0, 3.0, 7.5, 10.0, 22.0, 35.0, 50.0}) {
    for (int64_t chunks = 1; chunks < 140; ++chunks) {
      const double wanted = static_cast<double>(chunks) * percent / 100;
      const auto count = static_cast<double>(held_out(chunks, percent).size());
      EXPECT_LE(std::abs(count - wanted), std::max(0.5, 0.1 * wanted)) << percent << " of " << chunks;
    }
  }
}

TEST(TokenSelection, HoldsNothingOutOfTooLittle) {
  EXPECT_TRUE(held_out(4, 10).empty());
  EXPECT_TRUE(held_out(1, 50).empty());
  EXPECT_TRUE(held_out(32, 0).empty());
  EXPECT_TRUE(held_out(32, 1e-300).empty());
  EXPECT_TRUE(held_out(10, 10, 63).empty());  // too few tokens to decide anything
}

TEST(TokenSelection, ChunksAreAsWideAsWhatIsHeldOutAllows) {
  const auto size = [](int64_t sequences, int64_t length, double percent = 10) {
    const Chunking chunking = chunking_for(sequences, length, percent);
    EXPECT_EQ(chunking.tokens(), sequences * length);
    return chunking.sequences_per_chunk;
  };
  // Those of the presets, and others with chunks enough.
  EXPECT_EQ(size(16, 256), 2);
  EXPECT_EQ(size(32, 512), 1);
  EXPECT_EQ(size(128, 512), 1);
  EXPECT_EQ(size(256, 1024), 1);
  EXPECT_EQ(size(128, 128), 4);
  // Few chunks of many sequences are cut.
  EXPECT_EQ(size(16, 64), 2);
  EXPECT_EQ(size(8, 64), 1);
  EXPECT_EQ(size(5, 64), 1);
  EXPECT_EQ(size(30, 64), 3);
  // Where nothing can be held out they stay.
  EXPECT_EQ(size(8, 48), 10);
  EXPECT_EQ(size(16, 64, 0), 8);
  EXPECT_EQ(size(1, 64), 8);
}

TEST(TokenSelection, WholeSequencesComeNearWhatIsAskedFor) {
  for (const double percent : {5.0, 10.0, 20.0, 50.0}) {
    for (int64_t sequences = 1; sequences < 80; ++sequences) {
      const Chunking chunking = chunking_for(sequences, 64, percent);
      const TokenSelection selection(chunking, {percent, 0, 0});
      const double wanted = static_cast<double>(sequences) * percent / 100;
      const double held = static_cast<double>(selection.held_out_tokens()) / 64;
      EXPECT_LE(std::abs(held - wanted), std::max(0.5, 0.1 * wanted)) << percent << " of " << sequences;
    }
  }
}

TEST(TokenSelection, TakesWholeChunksAsOneSlice) {
  const TokenSelection selection({5, 4, 2}, {});
  ASSERT_EQ(selection.slices(0).size(), 1u);
  EXPECT_EQ(rows(selection, 0), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(rows(selection, 2), (std::vector<int64_t>{0, 1, 2, 3}));  // the last chunk is shorter
}

TEST(TokenSelection, TakesSoManyTokensOfARowEvenlySpaced) {
  EXPECT_EQ(rows(TokenSelection({4, 8, 2}, {10, 0, 4}), 0), (std::vector<int64_t>{0, 2, 4, 6, 8, 10, 12, 14}));
  EXPECT_EQ(rows(TokenSelection({4, 7, 2}, {10, 0, 3}), 0), (std::vector<int64_t>{0, 3, 6, 7, 10, 13}));
  EXPECT_EQ(rows(TokenSelection({4, 4, 1}, {10, 0, 100}), 0), (std::vector<int64_t>{0, 1, 2, 3}));
}

TEST(TokenSelection, LeavesTheMostExtremeTokensOut) {
  TokenSelection selection({2, 4, 1}, {10, 25, 0});
  const std::vector<float> scores{9, 1, 1, 1, 1, 1, 9, 1};
  selection.drop_outliers(scores);
  EXPECT_EQ(rows(selection, 0), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(rows(selection, 1), (std::vector<int64_t>{0, 1, 3}));
  EXPECT_EQ(selection.slices(1).size(), 2u);
  // The next block's scores start anew; equal ones go by position.
  selection.drop_outliers(std::vector<float>(8, 1.0f));
  EXPECT_EQ(rows(selection, 0), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(rows(selection, 1), (std::vector<int64_t>{0, 1, 2, 3}));
}

TEST(RowSlice, IsAViewOfEverySoManiethRow) {
  const backend::Matrix m{nullptr, 16, 10, 3, 5, DType::kF32};
  const backend::Matrix part = RowSlice{2, 4, 2}.of(m);
  EXPECT_EQ(part.offset, 16u + 2 * 5 * sizeof(float));
  EXPECT_EQ(part.rows, 4);
  EXPECT_EQ(part.cols, 3);
  EXPECT_EQ(part.stride, 10);
}

}  // namespace
}  // namespace scrooge::calibration
