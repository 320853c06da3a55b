// SPDX-License-Identifier: Apache-2.0
// The order of the calls holds for every buffer although copies and kernels run on two streams, which the fake driver
// runs as late, or as early, as it may.
#include <gtest/gtest.h>

#include <vector>

#include "src/backend/backend_list.h"
#include "tests/support/cuda_shim/fake_driver.h"
#include "tests/support/seeded_values.h"

namespace scrooge::backend {
namespace {

constexpr int64_t kFloats = 4096;

// The same calls on two devices.
struct Pair {
  std::unique_ptr<Buffer> tested, reference;
};

class OrderTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    auto tested = create_device("cuda-shim", {1, &budget_});
    auto reference = create_device("reference", {1, &budget_});
    ASSERT_TRUE(tested.ok()) << tested.status().message();
    ASSERT_TRUE(reference.ok());
    tested_ = std::move(*tested);
    reference_ = std::move(*reference);
  }
  Pair make() {
    auto a = tested_->allocate(kFloats * 4, "test");
    auto b = reference_->allocate(kFloats * 4, "test");
    EXPECT_TRUE(a.ok() && b.ok());
    return {std::move(*a), std::move(*b)};
  }
  static Matrix matrix(const std::unique_ptr<Buffer>& buffer) {
    return {buffer.get(), 0, 1, kFloats, kFloats, DType::kF32};
  }
  void expect_same(const Pair& pair) {
    std::vector<float> a(kFloats), b(kFloats);
    ASSERT_TRUE(tested_->download(*pair.tested, 0, std::as_writable_bytes(std::span(a))).ok());
    ASSERT_TRUE(reference_->download(*pair.reference, 0, std::as_writable_bytes(std::span(b))).ok());
    ASSERT_EQ(a, b);
  }

  MemoryBudget budget_;
  std::unique_ptr<Device> tested_, reference_;
};

TEST_P(OrderTest, RandomProgramsGiveWhatTheOrderOfTheCallsSays) {
  test::SeededValues seeded(static_cast<uint64_t>(GetParam()));
  std::vector<Pair> pairs;
  for (int i = 0; i < 4; ++i) pairs.push_back(make());
  const auto any = [&]() -> size_t { return static_cast<size_t>(seeded.below(4)); };
  for (int step = 0; step < 400; ++step) {
    const size_t x = any();
    const size_t y = (x + 1 + static_cast<size_t>(seeded.below(3))) % 4;
    switch (seeded.below(8)) {
      case 0:
      case 1: {
        std::vector<float> values(kFloats);
        for (float& value : values) value = static_cast<float>(seeded.below(1000));
        ASSERT_TRUE(tested_->upload(*pairs[x].tested, 0, std::as_bytes(std::span(values))).ok());
        ASSERT_TRUE(reference_->upload(*pairs[x].reference, 0, std::as_bytes(std::span(values))).ok());
        std::fill(values.begin(), values.end(), -1.0f);  // the host range may be reused
        break;
      }
      case 2:
      case 3:
      case 4:
        ASSERT_TRUE(tested_->add({matrix(pairs[x].tested), matrix(pairs[y].tested), 0.5f}).ok());
        ASSERT_TRUE(reference_->add({matrix(pairs[x].reference), matrix(pairs[y].reference), 0.5f}).ok());
        break;
      case 5:
        ASSERT_TRUE(tested_->copy(*pairs[x].tested, 0, *pairs[y].tested, 256, 8192).ok());
        ASSERT_TRUE(reference_->copy(*pairs[x].reference, 0, *pairs[y].reference, 256, 8192).ok());
        break;
      case 6:
        pairs[x] = {};  // while work on it may still be queued
        pairs[x] = make();
        break;
      default: expect_same(pairs[x]);
    }
    if (HasFatalFailure()) return;
  }
  for (const Pair& pair : pairs) expect_same(pair);
}

INSTANTIATE_TEST_SUITE_P(Seeds, OrderTest, testing::Range(1, 9));

}  // namespace
}  // namespace scrooge::backend
