// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/token_rows.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/cut_rows.h"

namespace scrooge::calibration {
namespace {

using test::cut_rows;

std::vector<int32_t> counting(int count) {
  std::vector<int32_t> ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

RowOptions options(int64_t length, int64_t rows) {
  RowOptions o;
  o.length = length;
  o.max_rows = rows;
  o.vocabulary = 1000;
  return o;
}

TEST(TokenRows, CutsTheTextAndCountsWhatIsLeft) {
  const auto rows = cut_rows(counting(23), options(5, 3), "t");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows, 3);
  EXPECT_EQ(rows->ids, counting(15));
  EXPECT_EQ(rows->dropped, 0u);  // nothing behind the rows is looked at
  EXPECT_EQ(cut_rows(counting(23), options(5, 0), "t")->dropped, 3u);
  EXPECT_EQ(cut_rows(counting(23), options(5, 4), "t")->dropped, 0u);
  EXPECT_EQ(cut_rows(counting(23), options(5, 5), "t")->dropped, 3u);
  RowOptions even = options(5, 3);
  even.sampling = Sampling::kEven;
  EXPECT_EQ(cut_rows(counting(23), even, "t")->dropped, 8u);
}

// Pieces of any size, with those that hold nothing wanted passed over.
TEST(TokenRows, PiecesGiveTheRowsOfTheWhole) {
  for (const Sampling sampling : {Sampling::kFirst, Sampling::kEven, Sampling::kRandom}) {
    for (const int64_t rows : {0, 1, 3, 7, 40}) {
      RowOptions o = options(5, rows);
      o.sampling = sampling;
      o.seed = 3;
      if (rows % 2 == 1) o.bos = 999;
      const std::vector<int32_t> ids = counting(103);
      const auto whole = cut_rows(ids, o, "t");
      for (size_t size = 1; size < 30; ++size) {
        MemoryBudget budget(1 << 20);
        auto cutter = RowCutter::create(o, "t", budget);
        ASSERT_TRUE(cutter.ok());
        if (cutter->needs_total()) cutter->choose(ids.size());
        for (size_t begin = 0; begin < ids.size() && !cutter->full(); begin += size) {
          const auto piece = std::span(ids).subspan(begin, std::min(size, ids.size() - begin));
          if (cutter->wants(piece.size())) {
            ASSERT_TRUE(cutter->add(piece).ok());
          } else {
            cutter->skip(piece.size());
          }
        }
        const auto cut = cutter->finish();
        ASSERT_TRUE(cut.ok());
        EXPECT_EQ(cut->ids, whole->ids);
        EXPECT_EQ(cut->rows, whole->rows);
        EXPECT_EQ(cut->dropped, whole->dropped);
        EXPECT_EQ(budget.used(), cut->ids.capacity() * sizeof(int32_t));
      }
    }
  }
}

TEST(TokenRows, IdsAreHeldAgainstTheBudget) {
  MemoryBudget budget(4096);
  auto cutter = RowCutter::create(options(100, 0), "a text", budget);
  Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) status = cutter->add(counting(100));
  EXPECT_EQ(status.code(), StatusCode::kBudgetExceeded);
  EXPECT_NE(status.message().find("a text: its token ids"), std::string_view::npos) << status.message();
  EXPECT_LE(budget.peak(), 4096u);
}

TEST(TokenRows, PutsBosBeforeEveryRow) {
  RowOptions o = options(4, 0);
  o.bos = 999;
  const auto rows = cut_rows(counting(7), o, "t");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->ids, (std::vector<int32_t>{999, 0, 1, 2, 999, 3, 4, 5}));
  EXPECT_EQ(rows->dropped, 1u);
}

TEST(TokenRows, SeedChoosesRowsInTextOrderRepeatably) {
  RowOptions o = options(2, 4);
  o.sampling = Sampling::kRandom;
  o.seed = 7;
  const auto a = cut_rows(counting(100), o, "t");
  const auto b = cut_rows(counting(100), o, "t");
  ASSERT_TRUE(a.ok());
  EXPECT_EQ(a->ids, b->ids);
  EXPECT_TRUE(std::is_sorted(a->ids.begin(), a->ids.end()));
  o.seed = 8;
  EXPECT_NE(cut_rows(counting(100), o, "t")->ids, a->ids);
}

TEST(TokenRows, EvenSamplingSpansTheText) {
  RowOptions o = options(2, 4);
  o.sampling = Sampling::kEven;
  EXPECT_EQ(cut_rows(counting(21), o, "t")->ids, (std::vector<int32_t>{0, 1, 4, 5, 10, 11, 14, 15}));
  o.max_rows = 20;  // more than there are
  EXPECT_EQ(cut_rows(counting(20), o, "t")->ids, counting(20));
}

TEST(TokenRows, ErrorsNameTheText) {
  EXPECT_EQ(cut_rows(counting(3), options(5, 1), "short.txt").status().code(), StatusCode::kBadText);
  EXPECT_NE(cut_rows(counting(3), options(5, 1), "short.txt").status().message().find("short.txt"),
            std::string_view::npos);
  RowOptions o = options(2, 1);
  o.vocabulary = 3;
  EXPECT_EQ(cut_rows(counting(10), o, "t").status().code(), StatusCode::kBadText);
  EXPECT_EQ(cut_rows(std::vector<int32_t>{-1, 0}, options(2, 1), "t").status().code(), StatusCode::kBadText);
}

TEST(TokenIds, ParsesDecimalTextAndNamesTheFault) {
  EXPECT_EQ(*parse_token_ids("1 2,3\n-4\t 5,", "t"), (std::vector<int32_t>{1, 2, 3, -4, 5}));
  EXPECT_TRUE(parse_token_ids("", "t")->empty());
  EXPECT_EQ(parse_token_ids("1 x", "ids.txt").status().code(), StatusCode::kBadText);
  EXPECT_EQ(parse_token_ids("99999999999", "t").status().code(), StatusCode::kBadText);
}

TEST(TokenIds, ATextMayBeCutBehindASeparator) {
  EXPECT_EQ(last_token_id_cut("12 34,56"), 6u);
  EXPECT_EQ(last_token_id_cut("123456"), 0u);
  EXPECT_EQ(last_token_id_cut(" "), 0u);
  EXPECT_NE(parse_token_ids("1 x", "t", nullptr, 1000).status().message().find("byte 1002"), std::string_view::npos);
}

TEST(TokenIds, ParsingManyCanBeCancelled) {
  struct Stop : CancelToken {
    bool cancelled() const override { return true; }
    bool poll() override { return true; }
  } stop;
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += "1 ";
  EXPECT_EQ(parse_token_ids(text, "t", &stop).status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace scrooge::calibration
