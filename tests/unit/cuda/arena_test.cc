// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/arena.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/support/cuda_shim/fake_driver.h"
#include "tests/support/seeded_values.h"

namespace scrooge::backend::cuda {
namespace {

using test::shim::fake_driver;
using test::shim::outstanding;

class ArenaTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(context_.open().ok());
    current_ = std::make_unique<DriverContext::Current>(context_);
  }
  void TearDown() override { test::shim::set_card_memory(uint64_t{8} << 30); }
  Arena arena(MemoryBudget& budget, ArenaSizes sizes = {1 << 16, 1 << 12}) {
    return Arena(context_, budget, sizes, [this] {
      ++quiesced_;
      return Status();
    });
  }

  DriverContext context_{fake_driver(), 0};
  std::unique_ptr<DriverContext::Current> current_;
  int quiesced_ = 0;
};

TEST_F(ArenaTest, SmallBlocksShareASlabAndLargeOnesDoNot) {
  MemoryBudget budget;
  Arena a = arena(budget);
  const auto one = a.allocate(100, "a");
  const auto two = a.allocate(300, "b");
  const auto large = a.allocate(1 << 14, "c");
  ASSERT_TRUE(one.ok() && two.ok() && large.ok());
  EXPECT_EQ(one->bytes, 256u);
  EXPECT_EQ(two->address, one->address + 256);
  EXPECT_EQ(outstanding().allocations, 2u);
  EXPECT_EQ(budget.used(), 256u + 512 + (1 << 14));
  EXPECT_EQ(a.held(), uint64_t{1} << 16 | 1 << 14);
  for (const auto& block : {*one, *two, *large}) a.release(block);
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(outstanding().allocations, 2u);  // kept for the next block of the model
  a.close();
  EXPECT_EQ(outstanding().allocations, 0u);
}

TEST_F(ArenaTest, RangesComeTogetherAndCarryTheLatestUse) {
  MemoryBudget budget;
  Arena a = arena(budget);
  Arena::Block blocks[4];
  for (Arena::Block& block : blocks) block = *a.allocate(256, "x");
  for (const int i : {0, 2, 1, 3}) {
    blocks[i].last_use = static_cast<uint64_t>(10 + i);
    a.release(blocks[i]);
  }
  const auto all = a.allocate(1024, "y");
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->address, blocks[0].address);
  EXPECT_EQ(all->last_use, 13u);
  a.release(*all);
  a.close();
}

TEST_F(ArenaTest, EmptyChunksGoBeforeTheLimitIsPassed) {
  MemoryBudget budget(1 << 20);
  Arena a = arena(budget);
  a.release(*a.allocate(600 << 10, "first"));
  EXPECT_EQ(a.held(), 600u << 10);
  const auto second = a.allocate(700 << 10, "second");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(quiesced_, 1);
  EXPECT_EQ(a.held(), 700u << 10);
  const auto third = a.allocate(400 << 10, "third thing");
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.status().code(), StatusCode::kBudgetExceeded);
  EXPECT_NE(third.status().message().find("third thing"), std::string_view::npos);
  a.release(*second);
  a.close();
}

TEST_F(ArenaTest, EmptyChunksGoWhenTheDriverHasNoMore) {
  test::shim::set_card_memory(1 << 20);
  MemoryBudget budget;
  Arena a = arena(budget);
  a.release(*a.allocate(600 << 10, "first"));
  const auto second = a.allocate(700 << 10, "second");
  ASSERT_TRUE(second.ok()) << second.status().message();
  const auto third = a.allocate(400 << 10, "third thing");
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.status().code(), StatusCode::kOutOfMemory);
  EXPECT_NE(third.status().message().find("third thing"), std::string_view::npos);
  EXPECT_EQ(budget.used(), 700u << 10);
  a.release(*second);
  a.close();
}

TEST_F(ArenaTest, ManyBlocksNeverOverlap) {
  MemoryBudget budget(1 << 20);
  Arena a = arena(budget);
  test::SeededValues seeded(3);
  std::vector<Arena::Block> live;
  for (int i = 0; i < 3000; ++i) {
    if (!live.empty() && seeded.below(2) == 0) {
      const auto at = static_cast<size_t>(seeded.below(static_cast<int64_t>(live.size())));
      a.release(live[at]);
      live.erase(live.begin() + static_cast<int64_t>(at));
      continue;
    }
    const auto made = a.allocate(static_cast<uint64_t>(1 + seeded.below(seeded.below(4) == 0 ? 100000 : 3000)), "x");
    if (!made.ok()) continue;
    for (const Arena::Block& other : live) {
      ASSERT_TRUE(made->address + made->bytes <= other.address || other.address + other.bytes <= made->address);
    }
    ASSERT_EQ(made->address % 256, 0u);
    live.push_back(*made);
    ASSERT_LE(a.held(), budget.limit() + budget.limit() / 16 + (4 << 16));
  }
  for (const Arena::Block& block : live) a.release(block);
  EXPECT_EQ(budget.used(), 0u);
  a.close();
}

}  // namespace
}  // namespace scrooge::backend::cuda
