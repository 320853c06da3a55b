// SPDX-License-Identifier: Apache-2.0
#include "src/base/memory_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace scrooge {
namespace {

TEST(MemoryBudget, BlocksAreZeroFilledAlignedAndGivenBack) {
  MemoryBudget budget(1 << 20);
  {
    auto block = budget.allocate(10000, "test");
    ASSERT_TRUE(block.ok());
    EXPECT_EQ(block->size(), 10000u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block->data()) % 64, 0u);
    const auto bytes = block->as<uint8_t>();
    EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; }));
    EXPECT_GE(budget.used(), 10000u);
  }
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_GE(budget.peak(), 10000u);
}

TEST(MemoryBudget, NamesWhatRaisesItsLimitAndKnowsWhenTheSystemRefused) {
  const AllocatorHook none{[](size_t, size_t) -> void* { return nullptr; }, [](void*, size_t) {}};
  MemoryBudget budget(1 << 16, none, "--device-memory");
  const Status above = budget.reserve(1 << 17, "weights");
  EXPECT_NE(above.message().find("raise --device-memory"), std::string_view::npos) << above.message();
  EXPECT_EQ(budget.allocate(100, "weights").status().code(), StatusCode::kOutOfMemory);
  EXPECT_TRUE(budget.refused());
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, RefusesPastTheLimitAndNamesThePurpose) {
  MemoryBudget budget(1 << 16);
  const auto first = budget.allocate(1 << 15, "first");
  ASSERT_TRUE(first.ok());
  const uint64_t used = budget.used();
  const auto second = budget.allocate(1 << 16, "gram matrix");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kBudgetExceeded);
  EXPECT_NE(second.status().message().find("gram matrix"), std::string_view::npos);
  EXPECT_NE(second.status().message().find("raise --memory"), std::string_view::npos);
  EXPECT_FALSE(budget.refused());  // the limit did, not the system
  EXPECT_EQ(budget.used(), used);
  EXPECT_TRUE(budget.allocate(1 << 15, "exactly the rest").ok());
}

TEST(MemoryBudget, AbsurdSizesAreErrors) {
  MemoryBudget budget;
  EXPECT_EQ(budget.allocate(MemoryBudget::kUnlimited, "x").status().code(), StatusCode::kOutOfMemory);
  EXPECT_FALSE(budget.allocate(1ull << 62, "x").ok());
  EXPECT_EQ(budget.used(), 0u);
  ASSERT_TRUE(budget.reserve(1000, "driver").ok());
  EXPECT_EQ(budget.reserve(MemoryBudget::kUnlimited, "x").code(), StatusCode::kBudgetExceeded);
  budget.give_back(1000);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, PeakCanStartOver) {
  MemoryBudget budget;
  ASSERT_TRUE(budget.reserve(5000, "x").ok());
  budget.give_back(4000);
  EXPECT_EQ(budget.take_peak(), 5000u);
  EXPECT_EQ(budget.peak(), 1000u);
}

TEST(MemoryBudget, MovedBlocksAreGivenBackOnce) {
  MemoryBudget budget;
  auto first = budget.allocate(100, "a");
  auto second = budget.allocate(200, "b");
  ASSERT_TRUE(first.ok() && second.ok());
  HostBlock block = std::move(*first);
  block = std::move(*second);
  EXPECT_EQ(block.size(), 200u);
  block.reset();
  EXPECT_EQ(block.data(), nullptr);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, UsesTheAllocatorHook) {
  int live = 0;
  AllocatorHook hook;
  hook.allocate = [&](size_t bytes, size_t alignment) {
    ++live;
    void* data = std::aligned_alloc(alignment, bytes);
    std::fill_n(static_cast<char*>(data), bytes, 'x');
    return data;
  };
  hook.release = [&](void* data, size_t) {
    --live;
    std::free(data);
  };
  MemoryBudget budget(MemoryBudget::kUnlimited, hook);
  {
    auto block = budget.allocate(100, "a");
    ASSERT_TRUE(block.ok());
    EXPECT_EQ(live, 1);
    EXPECT_EQ(block->as<char>()[99], 0);
  }
  EXPECT_EQ(live, 0);
}

TEST(MemoryBudget, AHookThatRefusesIsOutOfMemory) {
  AllocatorHook hook{[](size_t, size_t) -> void* { return nullptr; }, [](void*, size_t) {}};
  MemoryBudget budget(MemoryBudget::kUnlimited, hook);
  EXPECT_EQ(budget.allocate(100, "a").status().code(), StatusCode::kOutOfMemory);
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace scrooge
