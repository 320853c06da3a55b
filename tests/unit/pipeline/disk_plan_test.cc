// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/disk_plan.h"

#include <gtest/gtest.h>

#include "tests/support/byte_writer.h"
#include "tests/unit/pipeline/job_fixture.h"

namespace scrooge::pipeline {
namespace {

// /a and /b are on one file system with 1000 bytes free; /big has plenty, /silent says nothing, nothing else is there.
Result<DiskSpace> fake_space(const std::string& folder) {
  if (folder == "/a" || folder == "/b") return DiskSpace{1, 1000};
  if (folder == "/big") return DiskSpace{2, uint64_t{1} << 40};
  if (folder == "/silent") return DiskSpace{3, {}};
  return error(StatusCode::kNotFound, folder, ": cannot open: No such file or directory");
}

TEST(DiskPlan, NeedsOfOneFileSystemAreSummed) {
  const DiskNeed needs[] = {{"output", "--output", "/a", 600},
                            {"spill files", "--spill", "/b", 300},
                            {"calibration results", "--save-calibration", "/big", 50},
                            {"kept hidden states", "--output", "/a", 200, {}, true}};
  const auto disks = plan_disk(needs, fake_space);
  ASSERT_TRUE(disks.ok());
  ASSERT_EQ(disks->size(), 2u);
  const DiskPlan& first = disks->front();
  EXPECT_EQ(first.folder, "/a");
  EXPECT_EQ(first.bytes, 1100u);
  EXPECT_EQ(first.required_bytes, 900u);
  EXPECT_FALSE(first.enough());
  EXPECT_TRUE(first.enough_required());
  EXPECT_EQ(first.options, "--output, --spill");
  EXPECT_TRUE((*disks)[1].enough());
  EXPECT_TRUE(check_disk(*disks).ok());
}

TEST(DiskPlan, TooLittleNamesFolderNeedFreeAndRemedy) {
  const DiskNeed needs[] = {{"output", "--output", "/big", 600}, {"spill files", "--spill", "/b", 2048}};
  const Status status = check_disk(*plan_disk(needs, fake_space));
  EXPECT_EQ(status.code(), StatusCode::kNoSpace);
  for (const char* part : {"/b: ", "2.0 KiB", "spill files", "1000 B", "--spill"}) {
    EXPECT_NE(status.message().find(part), std::string_view::npos) << part << " in " << status.message();
  }
}

TEST(DiskPlan, WhatIsNotKnownIsEnough) {
  const DiskNeed needs[] = {{"output", "--output", "/silent", ~uint64_t{0}}, {"states", "--output", "/silent", 5}};
  const auto disks = plan_disk(needs, fake_space);
  ASSERT_TRUE(disks.ok());
  EXPECT_EQ(disks->front().bytes, ~uint64_t{0});  // and no sum wraps around
  EXPECT_TRUE(check_disk(*disks).ok());
}

TEST(DiskPlan, AFolderThatIsNotThereIsNamedWithItsOption) {
  const DiskNeed needs[] = {{"spill files", "--spill", "/nonexistent", 0}};
  const auto disks = plan_disk(needs, fake_space);
  EXPECT_EQ(disks.status().code(), StatusCode::kNotFound);
  EXPECT_NE(disks.status().message().find("--spill: /nonexistent"), std::string_view::npos) << disks.status().message();
}

TEST(DiskPlan, BytesThatAreThereNeedNoSpace) {
  const test::TempFolder folder;
  test::write_file(folder / "old", std::string(100'000, 'x'));
  const uint64_t there = disk_bytes_of(folder / "old");
  ASSERT_GE(there, 100'000u);
  EXPECT_EQ(disk_bytes_of(folder / "none"), 0u);
  const DiskNeed needs[] = {{"output", "--output", "/a", there + 700, folder / "old"},
                            {"output", "--output", "/a", 10, folder / "old"}};
  EXPECT_EQ(plan_disk(needs, fake_space)->front().bytes, 700u);
}

TEST(DiskSpace, TellsOfThisMachine) {
  const test::TempFolder folder;
  const auto space = disk_space(folder.path());
  ASSERT_TRUE(space.ok()) << space.status().message();
  EXPECT_EQ(space->file_system, disk_space(folder.path())->file_system);
  EXPECT_EQ(disk_space(folder / "none").status().code(), StatusCode::kNotFound);
  test::write_file(folder / "file", "x");
  EXPECT_EQ(disk_space(folder / "file").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);  // nothing was left
}

class DiskJobTest : public JobTest {};

// Whole rows that nobody has disk for: planned with a warning of the command, refused before any work.
TEST_F(DiskJobTest, RefusedBeforeAnyWork) {
  QuantizeOptions o = options("tiny_llama", "out");
  o.calibration_text.clear();
  o.output.clear();
  o.samples = 4'000'000;
  o.spill = folder_.path();
  o.memory = uint64_t{2} << 30;
  const auto planned = QuantizeJob::prepare(o);
  ASSERT_TRUE(planned.ok()) << planned.status().message();
  ASSERT_EQ((*planned)->plan().disks.size(), 1u);
  EXPECT_EQ((*planned)->plan().disks.front().bytes, (*planned)->plan().memory.spill_bytes);
  EXPECT_NE((*planned)->plan_json().find("\"disk\":[{\"folder\":"), std::string::npos);
  o.spill = "/nonexistent";
  const auto refused = QuantizeJob::prepare(o);
  EXPECT_EQ(refused.status().code(), StatusCode::kNotFound);
  EXPECT_NE(refused.status().message().find("--spill: /nonexistent"), std::string_view::npos);
}

TEST_F(DiskJobTest, OutputAndStatesAreOnOneDisk) {
  QuantizeOptions o = options("tiny_llama", "out");
  o.states = StatesPolicy::kKeep;
  o.save_calibration = path("saved");
  const auto job = QuantizeJob::prepare(o);
  ASSERT_TRUE(job.ok()) << job.status().message();
  const JobPlan& plan = (*job)->plan();
  ASSERT_EQ(plan.disks.size(), 1u);
  EXPECT_GE(plan.disks.front().required_bytes, plan.output_bytes + DurableStates::file_bytes(plan.states_bytes));
  for (const char* part : {"output ", "calibration results ", "kept hidden states "}) {
    EXPECT_NE(plan.disks.front().purposes.find(part), std::string::npos) << plan.disks.front().purposes;
  }
}

}  // namespace
}  // namespace scrooge::pipeline
