// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/token_selection.h"

#include <gtest/gtest.h>

namespace scrooge::calibration {
namespace {

std::vector<int64_t> held_out(int64_t chunks, double percent) {
  const TokenSelection selection({chunks, 8, 1}, {percent, 0, 0});
  std::vector<int64_t> result;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    if (selection.held_out(chunk)) result.push_back(chunk);
  }
  EXPECT_EQ(selection.any_held_out(), !result.empty());
  EXPECT_EQ(selection.held_out_tokens(), result.size() * 8);
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
  EXPECT_EQ(held_out(4, 10), (std::vector<int64_t>{3}));
  EXPECT_EQ(held_out(8, 50), (std::vector<int64_t>{1, 3, 5, 7}));
}

TEST(TokenSelection, HoldsNothingOutOfTooLittle) {
  EXPECT_TRUE(held_out(3, 10).empty());
  EXPECT_TRUE(held_out(32, 0).empty());
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
