// SPDX-License-Identifier: Apache-2.0
// After a call that was cancelled nothing writes to memory of the caller any more, whose frame may be gone: neither
// later calls nor the end of buffers and device. On a device with memory of its own, so that transfers are in pieces.
#include <gtest/gtest.h>

#include <algorithm>

#include "backends/vulkan/vulkan_backend.h"
#include "src/backend/backend_list.h"
#include "src/base/cancel.h"

namespace scrooge::backend {
namespace {

constexpr int64_t kSize = 256;
constexpr double kUntouched = -7;

class Countdown final : public CancelToken {
 public:
  bool cancelled() const override { return left_ == 0; }
  bool poll() override {
    if (left_ > 0) --left_;
    return left_ == 0;
  }
  void stop_after(int polls) { left_ = polls; }

 private:
  int left_ = 1 << 30;
};

class VulkanCancelledTest : public testing::Test {
 protected:
  void SetUp() override {
    DeviceOptions options;
    options.budget = &budget_;
    options.cancel = &cancel_;
    auto device = create_device("vulkan-tiles", options);
    if (device.status().code() == StatusCode::kUnavailable) GTEST_SKIP() << device.status().message();
    ASSERT_TRUE(device.ok()) << device.status().message();
    device_ = std::move(*device);
  }
  std::unique_ptr<Buffer> allocate(uint64_t bytes) {
    auto buffer = device_->allocate(bytes, "test");
    EXPECT_TRUE(buffer.ok()) << buffer.status().message();
    return buffer.ok() ? std::move(*buffer) : nullptr;
  }

  MemoryBudget budget_;
  Countdown cancel_;
  std::unique_ptr<Device> device_;
};

TEST_F(VulkanCancelledTest, NumbersOfOpsAreNotOwed) {
  auto buffer = allocate(kSize * kSize * sizeof(float));
  ASSERT_NE(buffer, nullptr);
  const Matrix m{buffer.get(), 0, kSize, kSize, kSize, DType::kF32};
  std::vector<double> losses(kSize);
  double sum = 0;
  const auto ask = [&] {
    const Status loss = device_->gram_loss({m, m, m, losses});
    return loss.ok() ? device_->reduce({m, {}, ReduceParams::Kind::kCountNonFinite, &sum}) : loss;
  };
  // Wherever between the commands it is.
  int polls = 1;
  for (;; ++polls) {
    cancel_.stop_after(polls);
    const Status status = ask();
    cancel_.stop_after(1 << 30);
    std::ranges::fill(losses, kUntouched);
    sum = kUntouched;
    if (status.ok()) break;
    ASSERT_EQ(status.code(), StatusCode::kCancelled) << status.message();
    const bool waits = polls % 2 == 0;
    EXPECT_TRUE(!waits || device_->synchronize().ok());
  }
  EXPECT_GT(polls, 2);
  cancel_.stop_after(2);
  EXPECT_EQ(ask().code(), StatusCode::kCancelled);
  std::ranges::fill(losses, kUntouched);
  buffer.reset();
  device_.reset();
  EXPECT_EQ(std::ranges::count(losses, kUntouched), kSize);
  EXPECT_EQ(sum, kUntouched);
}

TEST_F(VulkanCancelledTest, PiecesOfADownloadAreNotOwed) {
  constexpr size_t kBytes = size_t{24} << 20;
  constexpr std::byte kMark{0x5a};
  auto buffer = allocate(kBytes);
  ASSERT_NE(buffer, nullptr);
  std::vector<std::byte> to(kBytes);
  cancel_.stop_after(3);
  EXPECT_EQ(device_->download(*buffer, 0, to).code(), StatusCode::kCancelled);
  cancel_.stop_after(1 << 30);
  std::ranges::fill(to, kMark);
  EXPECT_TRUE(device_->synchronize().ok());
  buffer.reset();
  device_.reset();
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(to, kMark)), kBytes);
}

// Small uploads one after another, as a file is read: staging stays inside what the planner counts.
TEST_F(VulkanCancelledTest, StagingIsBounded) {
  constexpr size_t kPiece = size_t{1} << 20, kPieces = 96;
  MemoryBudget host;
  DeviceOptions options;
  options.budget = &budget_;
  options.host_budget = &host;
  auto device = create_device("vulkan-tiles", options);
  ASSERT_TRUE(device.ok()) << device.status().message();
  auto buffer = (*device)->allocate(kPiece * kPieces, "test");
  ASSERT_TRUE(buffer.ok()) << buffer.status().message();
  std::vector<std::byte> sent(kPiece), back(kPiece * kPieces);
  for (size_t i = 0; i < kPieces; ++i) {
    std::ranges::fill(sent, static_cast<std::byte>(i));
    ASSERT_TRUE((*device)->upload(**buffer, i * kPiece, sent).ok());
  }
  ASSERT_TRUE((*device)->download(**buffer, 0, back).ok());
  for (size_t i = 0; i < kPieces; ++i) {
    const auto piece = std::span(back).subspan(i * kPiece, kPiece);
    EXPECT_EQ(static_cast<size_t>(std::ranges::count(piece, static_cast<std::byte>(i))), kPiece) << i;
  }
  EXPECT_LE(host.peak(), vulkan::host_scratch_bytes(1, 0, 0, 0));
}

}  // namespace
}  // namespace scrooge::backend
