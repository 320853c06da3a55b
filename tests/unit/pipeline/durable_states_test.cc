// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/durable_states.h"

#include <gtest/gtest.h>

#include "src/backend/backend_list.h"
#include "tests/support/apart_device.h"
#include "tests/support/byte_writer.h"
#include "tests/support/temp_folder.h"

namespace scrooge::pipeline {
namespace {

using calibration::Chunking;
using calibration::HiddenStates;

// Two chunks of 3 and 2 MiB, neither a multiple of what is moved at once.
constexpr int64_t kWidth = 769;
const Chunking kChunking{5, 333, 3};

Status nothing() { return {}; }

class DurableStatesTest : public testing::Test {
 protected:
  void SetUp() override {
    test::ApartState::get() = {};
    auto host = backend::create_device("cpu", {1, &budget_});
    ASSERT_TRUE(host.ok()) << host.status().message();
    host_ = std::move(*host);
    auto apart = test::apart_backend().create(0, {1, &budget_});
    ASSERT_TRUE(apart.ok()) << apart.status().message();
    apart_ = std::move(*apart);
  }

  HiddenStates make(backend::Device& device, float first) const {
    auto states = HiddenStates::create(device, kChunking, kWidth, "states");
    EXPECT_TRUE(states.ok());
    for (int64_t chunk = 0; chunk < kChunking.chunks(); ++chunk) {
      const backend::Matrix h = states->place(chunk);
      const std::vector<float> values = expected(chunk, first);
      EXPECT_TRUE(device.upload(*h.buffer, h.offset, std::as_bytes(std::span(values))).ok());
      EXPECT_TRUE(states->store(chunk).ok());
    }
    return std::move(*states);
  }
  static std::vector<float> expected(int64_t chunk, float first) {
    std::vector<float> values(static_cast<size_t>(kChunking.tokens_in(chunk) * kWidth));
    for (size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(chunk) + static_cast<float>(i);
    return values;
  }
  static void expect_states(backend::Device& device, HiddenStates& states, float first) {
    for (int64_t chunk = 0; chunk < kChunking.chunks(); ++chunk) {
      const backend::Matrix h = *states.load(chunk);
      std::vector<float> values(static_cast<size_t>(h.rows * h.cols));
      ASSERT_TRUE(device.download(*h.buffer, h.offset, std::as_writable_bytes(std::span(values))).ok());
      EXPECT_EQ(values, expected(chunk, first));
    }
  }
  static uint64_t bytes() { return 2 * HiddenStates::spilled_bytes(kChunking, kWidth); }
  std::string output() const { return folder_ / "o"; }

  test::TempFolder folder_;
  MemoryBudget budget_;
  std::unique_ptr<backend::Device> host_, apart_;
};

TEST_F(DurableStatesTest, ComeBackOnEitherKindOfDevice) {
  for (backend::Device* device : {host_.get(), apart_.get()}) {
    SCOPED_TRACE(device->describe().backend);
    HiddenStates first = make(*device, 1);
    HiddenStates second = make(*device, 1000);
    auto file = DurableStates::open(output(), "a job", bytes(), *device);
    ASSERT_TRUE(file.ok()) << file.status().message();
    HiddenStates* const streams[] = {&first, &second};
    ASSERT_TRUE(file->save(3, streams, nothing).ok());
    HiddenStates left = make(*device, 0);
    HiddenStates right = make(*device, 0);
    HiddenStates* const back[] = {&left, &right};
    auto again = DurableStates::open(output(), "a job", bytes(), *device);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again->load(2, back, nothing), -1);
    EXPECT_EQ(*again->load(3, back, nothing), 3);
    expect_states(*device, left, 1);
    expect_states(*device, right, 1000);
  }
}

// Never a whole chunk at a time beside the device's own memory.
TEST_F(DurableStatesTest, MovesSmallPieces) {
  HiddenStates states = make(*apart_, 1);
  HiddenStates* const streams[] = {&states};
  auto file = DurableStates::open(output(), "a job", bytes() / 2, *apart_);
  ASSERT_TRUE(file.ok());
  test::ApartState::get().largest_transfer = 0;
  ASSERT_TRUE(file->save(0, streams, nothing).ok());
  ASSERT_EQ(*file->load(0, streams, nothing), 0);
  EXPECT_LE(test::ApartState::get().largest_transfer, DurableStates::kPieceBytes);
  EXPECT_GT(test::ApartState::get().largest_transfer, 0u);
}

TEST_F(DurableStatesTest, CancelsBetweenPieces) {
  HiddenStates states = make(*host_, 1);
  HiddenStates* const streams[] = {&states};
  auto file = DurableStates::open(output(), "a job", bytes() / 2, *host_);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->save(0, streams, nothing).ok());
  for (const int at : {1, 4, 7}) {
    int left = at;
    const auto stop = [&] { return --left <= 0 ? error(StatusCode::kCancelled, "stop") : Status(); };
    EXPECT_EQ(file->save(1, streams, stop).code(), StatusCode::kCancelled);
    left = 2;
    EXPECT_EQ(file->load(1, streams, stop).status().code(), StatusCode::kCancelled);
    // What was cut short vouches for nothing; the older slot does.
    EXPECT_EQ(*file->load(1, streams, nothing), 0);
  }
}

}  // namespace
}  // namespace scrooge::pipeline
