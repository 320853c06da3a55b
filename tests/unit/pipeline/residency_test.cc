// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/residency.h"

#include <gtest/gtest.h>

#include <cstring>

#include "src/pipeline/device_block.h"
#include "src/pipeline/effective_block.h"
#include "tests/support/device_data.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

using calibration::Chunking;
using test::DeviceData;

model::ModelConfig config_8b() {
  model::ModelConfig config;
  config.blocks = 32;
  config.width = 4096;
  config.heads = 32;
  config.kv_heads = 8;
  config.head_width = 128;
  config.feed_forward = 14336;
  return config;
}

TEST(Residency, EveryOpenChoiceOnceAndHoldingAllFirst) {
  EXPECT_EQ(all_residencies("", {true, true, true}).size(), 2u);  // weights held or streamed
  EXPECT_EQ(all_residencies("/tmp", {true, true, true}).size(), 48u);
  EXPECT_EQ(all_residencies("/tmp", {false, true, true}).size(), 16u);
  EXPECT_EQ(all_residencies("/tmp", {false, false, false}).size(), 4u);
  const Residency first = all_residencies("/tmp", {true, true, true}).front();
  for (const Store store : {first.hidden, first.original, first.attention, first.statistics}) {
    EXPECT_EQ(store, Store::kDevice);
  }
  EXPECT_FALSE(first.stream_weights || first.half_chunks || first.two_passes);
  for (const Residency& choice : all_residencies("/tmp", {true, true, true})) {
    EXPECT_TRUE(!choice.two_passes || choice.parks_statistics());
  }
}

TEST(Residency, ADeviceWithMemoryOfItsOwnHasTheHostsToo) {
  EXPECT_EQ(all_residencies("", {true, true, true, true}).size(), 48u);
  EXPECT_EQ(all_residencies("/tmp", {true, true, true, true}).size(), 270u);
  EXPECT_EQ(all_residencies("", {true, true, true, true, true}).size(), 96u);
}

TEST(Residency, SaysWhatIsNotSimplyHeld) {
  Residency residency;
  EXPECT_EQ(residency_text(residency), "all held");
  residency.half_chunks = residency.stream_weights = residency.two_passes = true;
  residency.hidden = residency.statistics = Store::kHost;
  residency.attention = Store::kDisk;
  EXPECT_EQ(residency_text(residency),
            "half a chunk at a time; weights streamed; statistics in two passes; with the host: hidden states, "
            "statistics; on disk: attention outputs");
}

TEST(Residency, WhatMovesMoreOftenCostsMore) {
  const model::ModelConfig config = config_8b();
  const model::BlockPlan plan = model::make_block_plan(config);
  const auto seconds = [&](const Residency& choice, int64_t samples) {
    return extra_seconds(choice, config, plan, Chunking::of(samples, 512));
  };
  EXPECT_EQ(seconds({}, 32), 0);
  Residency one, other, hidden, streamed, near, half;
  one.attention = other.original = hidden.hidden = Store::kDisk;
  near.hidden = Store::kHost;
  streamed.stream_weights = true;
  half.half_chunks = true;
  const double attention = seconds(one, 32);
  EXPECT_LT(attention, seconds(other, 32));
  EXPECT_LT(attention, seconds(hidden, 32));
  EXPECT_NEAR(seconds(one, 64), 2 * attention, 1e-9);
  EXPECT_GT(seconds(streamed, 64), seconds(streamed, 32));
  EXPECT_LT(seconds(near, 32), attention);  // memory beside the device's is nearer than a disk
  EXPECT_LT(seconds(half, 32), seconds(near, 32));
  Residency parked;
  parked.statistics = Store::kDisk;
  Residency twice = parked;
  twice.two_passes = true;
  EXPECT_GT(seconds(twice, 32), seconds(parked, 32));
  twice.hidden = parked.hidden = Store::kDisk;
  EXPECT_GT(seconds(twice, 64) - seconds(parked, 64), 1.9 * (seconds(twice, 32) - seconds(parked, 32)));
}

TEST(Residency, StatesAreKeptWhereWritingThemIsCheap) {
  const model::ModelConfig large = config_8b();
  EXPECT_TRUE(keeps_states(StatesPolicy::kAuto, large, model::make_block_plan(large), true));
  model::ModelConfig small = large;
  small.width = 576;
  small.heads = 9;
  small.kv_heads = 3;
  small.head_width = 64;
  small.feed_forward = 1536;
  const model::BlockPlan plan = model::make_block_plan(small);
  EXPECT_FALSE(keeps_states(StatesPolicy::kAuto, small, plan, true));
  EXPECT_TRUE(keeps_states(StatesPolicy::kKeep, small, plan, true));
  EXPECT_FALSE(keeps_states(StatesPolicy::kReplay, large, model::make_block_plan(large), true));
}

std::vector<float> read_all(DeviceData& data, model::WeightRows& weight) {
  std::vector<float> values;
  const Status read = model::for_each_tile(weight, [&](int64_t, const backend::Matrix& tile) {
    const std::vector<float> part = data.read(tile);
    values.insert(values.end(), part.begin(), part.end());
    return Status();
  });
  EXPECT_TRUE(read.ok()) << read.message();
  return values;
}

class WeightsTest : public JobTest {};

TEST_F(WeightsTest, ReadWhenAskedForTheyAreTheSame) {
  const auto source = ModelSource::open(golden("tiny_llama"), {});
  ASSERT_TRUE(source.ok());
  const model::BlockPlan& plan = (*source)->block_plan();
  DeviceData data;
  const auto room = data.device().allocate(tile_room_bytes(plan), "test");
  ASSERT_TRUE(room.ok());
  auto held = DeviceBlock::create(data.device(), plan, (*source)->config(), "test");
  auto streamed = DeviceBlock::create(data.device(), plan, (*source)->config(), "test", room->get());
  ASSERT_TRUE(held.ok() && streamed.ok());
  EXPECT_LT(DeviceBlock::device_bytes(plan, (*source)->config(), false),
            DeviceBlock::device_bytes(plan, (*source)->config(), true) / 10);
  for (const int64_t block : {0, 1}) {
    ASSERT_TRUE(held->load(**source, block).ok() && streamed->load(**source, block).ok());
    for (size_t i = 0; i < plan.linears.size(); ++i) {
      EXPECT_EQ(read_all(data, *held->weights().linears[i]), read_all(data, *streamed->weights().linears[i]));
    }
  }
}

TEST(EffectiveBlock, HeldOrMadeOfTheCodesItIsTheSameAndUndoesTheScale) {
  model::ModelConfig config = config_8b();
  config.width = 64;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_width = 16;
  config.feed_forward = 96;
  const model::BlockPlan plan = model::make_block_plan(config);
  DeviceData data;
  const auto room = data.device().allocate(tile_room_bytes(plan), "test");
  ASSERT_TRUE(room.ok());
  QuantSpec spec;
  spec.group = 32;
  const model::LinearRole role = model::LinearRole::kUp;
  const model::LinearPlan& linear = plan.linear(role);
  auto quantized = awq::QuantizedLinear::create(data.device(), linear.rows, linear.cols, spec);
  ASSERT_TRUE(quantized.ok());
  const backend::Matrix w =
      data.matrix(test::random_floats(static_cast<size_t>(linear.rows * linear.cols), 1), linear.rows, linear.cols);
  ASSERT_TRUE(data.device().group_params({w, quantized->scales(), quantized->zeros(), spec, {}, {}}).ok());
  ASSERT_TRUE(data.device().quantize({w, quantized->scales(), quantized->zeros(), quantized->codes(), spec}).ok());
  const std::vector<float> s(static_cast<size_t>(linear.cols), 4.0f);
  std::vector<float> values[2];
  for (const bool resident : {false, true}) {
    auto block = EffectiveBlock::create(data.device(), plan, resident, **room);
    ASSERT_TRUE(block.ok());
    ASSERT_TRUE(block->set(role, *quantized, s).ok());
    values[resident ? 1 : 0] = read_all(data, block->linear(role));
    ASSERT_TRUE(block->set_folded(role, *quantized).ok());
    const std::vector<float> folded = read_all(data, block->linear(role));
    for (size_t i = 0; i < folded.size(); ++i) ASSERT_EQ(folded[i], 4 * values[resident ? 1 : 0][i]);
  }
  EXPECT_EQ(values[0], values[1]);
}

}  // namespace
}  // namespace scrooge::pipeline
