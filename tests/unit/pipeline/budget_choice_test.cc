// SPDX-License-Identifier: Apache-2.0
// Which budget a job gets, and the presets.
#include "src/pipeline/budget_choice.h"

#include <gtest/gtest.h>

#include "src/pipeline/evaluate.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

constexpr uint64_t kUnlimited = MemoryBudget::kUnlimited;

AvailableMemory small_group() { return {1000, MemorySource::kCgroup}; }
AvailableMemory small_machine() { return {2000, MemorySource::kMachine}; }
AvailableMemory limited_process() { return {3000, MemorySource::kProcess}; }
AvailableMemory unknown() { return {}; }

void expect_choice(const BudgetChoice& choice, uint64_t bytes, BudgetOrigin origin) {
  EXPECT_EQ(choice.bytes, bytes);
  EXPECT_EQ(origin_name(choice.origin), origin_name(origin));
}

TEST(ChooseBudget, WhatIsGivenCounts) {
  expect_choice(choose_budget(500, 0, small_group), 500, BudgetOrigin::kGiven);
  expect_choice(choose_budget(5000, 0, small_group), 5000, BudgetOrigin::kGiven);
  expect_choice(choose_budget(kUnlimited, 0, small_group), kUnlimited, BudgetOrigin::kUnlimited);
}

TEST(ChooseBudget, WithoutOneItIsWhatIsFree) {
  expect_choice(choose_budget(kMemoryAvailable, 0, small_group), 1000, BudgetOrigin::kCgroup);
  expect_choice(choose_budget(kMemoryAvailable, 0, small_machine), 2000, BudgetOrigin::kMachine);
  expect_choice(choose_budget(kMemoryAvailable, 0, limited_process), 3000, BudgetOrigin::kProcess);
  expect_choice(choose_budget(kMemoryAvailable, 0, unknown), kUnlimited, BudgetOrigin::kUnlimited);
}

TEST(ChooseBudget, TheCeilingOfTheDeviceCountsWhereItIsLower) {
  expect_choice(choose_budget(kMemoryAvailable, 700, small_group), 700, BudgetOrigin::kDevice);
  expect_choice(choose_budget(kMemoryAvailable, 1700, small_group), 1000, BudgetOrigin::kCgroup);
  expect_choice(choose_budget(kUnlimited, 700, small_group), 700, BudgetOrigin::kDevice);
  expect_choice(choose_budget(600, 700, small_group), 600, BudgetOrigin::kGiven);
  expect_choice(choose_budget(600, kUnlimited, small_group), 600, BudgetOrigin::kGiven);
}

TEST(ChooseBudget, MessagesSayWhereItComesFrom) {
  EXPECT_EQ(choose_budget(2048, 0, small_group).text(), "2.0 KiB");
  EXPECT_NE(choose_budget(0, 0, small_group).text().find("cgroup"), std::string::npos);
  EXPECT_NE(choose_budget(0, 0, small_machine).text().find("machine"), std::string::npos);
}

TEST(FindPreset, GrowsFromTheFirstToTheLast) {
  int64_t tokens = 0;
  for (const Preset& preset : all_presets()) {
    ASSERT_TRUE(find_preset(preset.name).ok());
    EXPECT_GT(preset.samples * preset.length, tokens) << preset.name;
    tokens = preset.samples * preset.length;
  }
  const Status refused = find_preset("huge").status();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(refused.message().find("minimal, fast, production, max"), std::string_view::npos) << refused.message();
}

TEST(FindPreset, ProductionIsWhatOptionsAreWithoutOne) {
  const QuantizeOptions options;
  const Preset production = *find_preset("production");
  EXPECT_EQ(production.samples, options.samples);
  EXPECT_EQ(production.length, options.length);
  EXPECT_EQ(production.effort, options.effort);
}

class BudgetTest : public JobTest {};

TEST_F(BudgetTest, APlanSaysWhichBudgetAndWhereFrom) {
  QuantizeOptions o = options("tiny_llama", "a.scrooge");
  o.memory = kMemoryAvailable;
  auto job = QuantizeJob::prepare(o);
  ASSERT_TRUE(job.ok()) << job.status().message();
  EXPECT_GT((*job)->options().memory, 0u);
  EXPECT_NE((*job)->plan_json().find("\"budget_origin\":\""), std::string::npos);
  o.memory = uint64_t{1} << 30;
  job = QuantizeJob::prepare(o);
  ASSERT_TRUE(job.ok());
  EXPECT_EQ((*job)->plan().budget_origin, BudgetOrigin::kGiven);
  o.device_memory = uint64_t{1} << 29;
  job = QuantizeJob::prepare(o);
  ASSERT_TRUE(job.ok());
  EXPECT_EQ((*job)->options().memory, o.device_memory);
  const std::string json = (*job)->plan_json();
  for (const char* part : {"\"budget_bytes\":536870912", "\"budget_origin\":\"device\"", "\"effort\":\"default\"",
                           "\"samples\":16", "\"placement\":\"held\""}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
  }
}

TEST_F(BudgetTest, BytesDoNotDependOnIt) {
  QuantizeOptions o = options("tiny_llama", "free.scrooge");
  o.method = Method::kRtn;
  o.memory = kMemoryAvailable;
  auto job = QuantizeJob::prepare(o);
  ASSERT_TRUE(job.ok() && (*job)->convert().ok());
  QuantizeOptions tight = o;
  tight.output = path("tight.scrooge");
  tight.memory = kUnlimited;
  tight.device_memory = (*job)->plan().memory.minimum_bytes;
  job = QuantizeJob::prepare(tight);
  ASSERT_TRUE(job.ok() && (*job)->convert().ok());
  EXPECT_EQ(bytes(tight.output), bytes(o.output));
  tight.device_memory -= 1;
  const Status refused = QuantizeJob::prepare(tight).status();
  EXPECT_EQ(refused.code(), StatusCode::kBudgetExceeded);
  EXPECT_NE(refused.message().find("--device-memory"), std::string_view::npos) << refused.message();
}

TEST_F(BudgetTest, EvaluationKeepsToIt) {
  EvaluateOptions o;
  o.model = golden("tiny_llama");
  o.text = golden("tiny_text.txt");
  o.context = 64;
  o.max_windows = 2;
  o.threads = 1;
  o.memory = kMemoryAvailable;
  const auto free = evaluate(o);
  ASSERT_TRUE(free.ok()) << free.status().message();
  o.device_memory = 1024;
  const Status refused = evaluate(o).status();
  EXPECT_EQ(refused.code(), StatusCode::kBudgetExceeded);
  EXPECT_NE(refused.message().find("--device-memory"), std::string_view::npos) << refused.message();
}

}  // namespace
}  // namespace scrooge::pipeline
