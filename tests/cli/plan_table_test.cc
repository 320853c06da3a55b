// SPDX-License-Identifier: Apache-2.0
#include "src/cli/plan_table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace scrooge::cli {
namespace {

scrooge_plan_item item(const char* stage, const char* purpose, uint64_t bytes,
                       int32_t placement = SCROOGE_PLACEMENT_HELD) {
  return {sizeof(scrooge_plan_item), placement, stage, purpose, bytes, SCROOGE_MEMORY_HOST, 0};
}

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(PlanTable, AlignsAndSumsAndNamesAStageOnce) {
  EXPECT_EQ(plan_table({item("job", "weights of a block", 123 * kMiB + kMiB / 2),
                        item("job", "hidden states", 4 * kMiB, SCROOGE_PLACEMENT_SPILLED),
                        item("solve", "scratch", kMiB / 10, SCROOGE_PLACEMENT_STREAMED),
                        item("solve", "m", 0, SCROOGE_PLACEMENT_RECOMPUTED)}),
            "stage  buffer                   MiB  kept\n"
            "job    weights of a block     123.5  held\n"
            "       hidden states            4.0  spilled\n"
            "solve  scratch                  0.1  streamed\n"
            "       m                        0.0  recomputed\n"
            "       sum                    127.6\n");
}

TEST(PlanTable, BringsTheItemsOfAStageTogether) {
  const std::string table = plan_table({item("job", "a", 1), item("write", "b", 1), item("job", "c", 1)});
  EXPECT_LT(table.find("c  "), table.find("write")) << table;
  EXPECT_EQ(table.find("job"), table.rfind("job")) << table;
}

TEST(PlanTable, NeverExceedsAPage) {
  const std::string longest(500, 'x');
  std::istringstream table(
      plan_table({item(longest.c_str(), longest.c_str(), UINT64_MAX / 2, SCROOGE_PLACEMENT_RECOMPUTED)}));
  for (std::string line; std::getline(table, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST(PlanTable, SurvivesNoItemsAndNewerPlacements) {
  EXPECT_NE(plan_table({}).find("sum"), std::string::npos);
  EXPECT_NE(plan_table({item("job", "a", 1, 77)}).find("?"), std::string::npos);
}

scrooge_time_item work(const char* purpose, double seconds) { return {sizeof(scrooge_time_item), 0, purpose, seconds}; }

TEST(TimeTable, AlignsAndSumsAndGivesShares) {
  EXPECT_EQ(time_table({work("forward passes", 30), work("error correction", 90.04)}),
            "work               seconds  share\n"
            "forward passes        30.0   25 %\n"
            "error correction      90.0   75 %\n"
            "sum                  120.0\n");
  EXPECT_NE(time_table({work("writing", 0.004)}).find("0.004  100 %"), std::string::npos);
  EXPECT_NE(time_table({}).find("sum"), std::string::npos);
}

TEST(TimeText, SaysWhatItIsComparedWithAndWhereItComesFrom) {
  scrooge_time_plan time{};
  time.seconds = 95;
  time.seconds_fast = 50;
  time.rate_measured = 1;
  EXPECT_EQ(time_text(time), "about 1:35, 1.9 times --effort fast; by a product timed on this machine");
  time.seconds_fast = 0;
  time.rate_measured = 0;
  EXPECT_EQ(time_text(time), "about 1:35; by what such a device does");
}

TEST(BudgetText, SaysWhereItComesFrom) {
  EXPECT_EQ(budget_text(UINT64_MAX, SCROOGE_BUDGET_UNLIMITED), "no limit");
  EXPECT_EQ(budget_text(512 * kMiB, SCROOGE_BUDGET_GIVEN), "512 MiB, given");
  EXPECT_EQ(budget_text(512 * kMiB, SCROOGE_BUDGET_DEVICE), "512 MiB, given for the device");
  EXPECT_EQ(budget_text(512 * kMiB, SCROOGE_BUDGET_CGROUP), "512 MiB, free in the cgroup");
  EXPECT_EQ(budget_text(512 * kMiB, SCROOGE_BUDGET_MACHINE), "512 MiB, free on this machine");
  EXPECT_EQ(budget_text(512 * kMiB, SCROOGE_BUDGET_PROCESS), "512 MiB, left by ulimit");
  EXPECT_EQ(budget_text(512 * kMiB, SCROOGE_BUDGET_FREE), "512 MiB, free on the device");
  EXPECT_EQ(budget_text(512 * kMiB, 99), "512 MiB");
}

TEST(DeviceText, SaysWhyWhereItWasChosen) {
  EXPECT_EQ(device_text("cpu", "AMD EPYC", ""), "cpu (AMD EPYC)");
  EXPECT_EQ(device_text("cuda", "NVIDIA\tH200", "a card"), "cuda (NVIDIA H200): a card");
}

TEST(FormatMib, HasOneDecimal) {
  EXPECT_EQ(format_mib(0), "0.0 MiB");
  EXPECT_EQ(format_mib(228 * kMiB + kMiB / 4), "228.2 MiB");
}

}  // namespace
}  // namespace scrooge::cli
