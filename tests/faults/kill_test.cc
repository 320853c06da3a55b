// SPDX-License-Identifier: Apache-2.0
// Killed at every call that changes a file, and at random moments: the output is never half there, and the same command
// again gives the bytes of a job that nobody disturbed.
#include <gtest/gtest.h>

#include <csignal>
#include <random>

#include "tests/faults/faults.h"
#include "tests/faults/stride.h"
#include "tests/faults/toy_job.h"

namespace scrooge::faults {
namespace {

class KillTest : public testing::TestWithParam<Variant> {
 protected:
  // At every `step`-th call of this kind.
  void kill_at(std::string_view kind, const char* action, unsigned long step = 1) {
    ToyJob job(GetParam());
    for (unsigned long at = 1; at <= job.calls(kind); at += step) {
      const FileFault fault{kind, at, action};
      SCOPED_TRACE(fault.text());
      job.reset();
      const Outcome outcome = job.run(fault);
      ASSERT_EQ(outcome.signal, SIGKILL) << outcome.text();
      ASSERT_TRUE(job.output_is_whole());
      ASSERT_TRUE(job.finishes());
    }
  }
};

TEST_P(KillTest, BeforeEveryWrite) { kill_at("write", "kill-before", stride(GetParam() == Variant::kSave ? 3 : 1)); }
TEST_P(KillTest, InTheMiddleOfWrites) {
  const bool few = GetParam() == Variant::kSpill || GetParam() == Variant::kSave;
  kill_at("write", "kill-half", stride(few ? 10 : 1));
}
// The shim leaves syncing out: what is there after it was there before.
TEST_P(KillTest, AtEverySync) { kill_at("sync", "kill-before"); }
TEST_P(KillTest, AroundEveryRename) {
  kill_at("rename", "kill-before");
  kill_at("rename", "kill-after");
}
TEST_P(KillTest, AroundEveryChangeOfSize) {
  for (const char* kind : {"truncate", "allocate"}) {
    kill_at(kind, "kill-before");
    kill_at(kind, "kill-after");
  }
}
TEST_P(KillTest, AfterEveryCreationAndRemoval) {
  kill_at("create", "kill-after");
  kill_at("unlink", "kill-after");
}

TEST_P(KillTest, AtRandomMoments) {
  ToyJob job(GetParam());
  std::mt19937_64 random(5);
  const int kills = GetParam() == Variant::kMemory || all_faults() ? 200 : 15;
  int killed = 0;
  // How long a job takes varies: some are over before the moment comes.
  for (int i = 0; killed < kills && i < 5 * kills; ++i) {
    const auto moment = std::chrono::microseconds(1 + random() % static_cast<uint64_t>(job.duration().count()));
    SCOPED_TRACE(std::to_string(i) + ": " + std::to_string(moment.count()) + " us");
    job.reset();
    const Outcome outcome = job.run_killed(moment);
    ASSERT_TRUE(outcome.signal == SIGKILL || outcome.succeeded()) << outcome.text();
    ASSERT_TRUE(job.output_is_whole(!outcome.succeeded()));
    if (outcome.succeeded()) continue;
    ++killed;
    ASSERT_TRUE(job.finishes());
  }
  EXPECT_EQ(killed, kills);
}

INSTANTIATE_TEST_SUITE_P(Faults, KillTest, testing::ValuesIn(kVariants),
                         [](const auto& variant) { return std::string(variant_name(variant.param)); });

}  // namespace
}  // namespace scrooge::faults
