// SPDX-License-Identifier: Apache-2.0
#include "src/base/checked_size.h"

#include <gtest/gtest.h>

#include <limits>

namespace scrooge {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

TEST(CheckedSize, PlainArithmetic) {
  EXPECT_EQ((CheckedSize(3) * 5 + 2).value(), 17u);
  EXPECT_EQ((CheckedSize(3) - 3).value(), 0u);
  EXPECT_EQ(CheckedSize(kMax).value(), kMax);
  CheckedSize size = 4;
  size += 6;
  size *= 3;
  EXPECT_EQ(size.value(), 30u);
}

TEST(CheckedSize, OverflowPoisonsTheWholeExpression) {
  EXPECT_FALSE((CheckedSize(kMax) + 1).valid());
  EXPECT_FALSE((CheckedSize(1ull << 32) * (1ull << 32)).valid());
  EXPECT_FALSE((CheckedSize(2) - 3).valid());
  EXPECT_FALSE(CheckedSize(-1).valid());
  const CheckedSize poisoned = CheckedSize(kMax) + 1;
  EXPECT_FALSE((poisoned * 0).valid());
  EXPECT_FALSE((poisoned - 0).valid());
  EXPECT_FALSE((CheckedSize(1) - poisoned).valid());
  EXPECT_FALSE(poisoned.align_up(8).valid());
  EXPECT_FALSE(poisoned.ceil_div(8).valid());
  EXPECT_EQ(poisoned.value_or(7), 7u);
  EXPECT_FALSE(poisoned.fits_in(kMax));
}

TEST(CheckedSize, AlignUp) {
  EXPECT_EQ(CheckedSize(0).align_up(256).value(), 0u);
  EXPECT_EQ(CheckedSize(1).align_up(256).value(), 256u);
  EXPECT_EQ(CheckedSize(256).align_up(256).value(), 256u);
  EXPECT_EQ(CheckedSize(10).align_up(7).value(), 14u);
  EXPECT_FALSE(CheckedSize(kMax).align_up(2).valid());
  EXPECT_FALSE(CheckedSize(5).align_up(0).valid());
}

TEST(CheckedSize, CeilDiv) {
  EXPECT_EQ(CheckedSize(0).ceil_div(8).value(), 0u);
  EXPECT_EQ(CheckedSize(8).ceil_div(8).value(), 1u);
  EXPECT_EQ(CheckedSize(9).ceil_div(8).value(), 2u);
  EXPECT_EQ(CheckedSize(kMax).ceil_div(2).value(), 1ull << 63);
  EXPECT_FALSE(CheckedSize(1).ceil_div(0).valid());
}

TEST(CheckedSize, RangeFits) {
  EXPECT_TRUE(CheckedSize(0).range_fits(10, 10));
  EXPECT_TRUE(CheckedSize(10).range_fits(0, 10));
  EXPECT_FALSE(CheckedSize(1).range_fits(10, 10));
  EXPECT_FALSE(CheckedSize(11).range_fits(0, 10));
  EXPECT_FALSE(CheckedSize(5).range_fits(kMax, 10));
  EXPECT_FALSE(CheckedSize(kMax).range_fits(2, 10));
  EXPECT_FALSE(CheckedSize(0).range_fits(CheckedSize(-1), 10));
}

}  // namespace
}  // namespace scrooge
