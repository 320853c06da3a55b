// SPDX-License-Identifier: Apache-2.0
// Power lost at every call that changes files, and once more while the job goes on: the output is the old one or the
// new one, and the same command again gives the bytes of a job that nobody disturbed.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <random>

#include "tests/faults/stride.h"
#include "tests/faults/toy_files.h"
#include "tests/faults/toy_job.h"

namespace scrooge::faults {
namespace {

class PowerTest : public testing::TestWithParam<Variant> {
 protected:
  // Of the last run that came to its end.
  static bool went_on(const ToyJob& job) {
    return read_whole(job.folder() + "/out/report.json").find("\"resumed_blocks\":0") == std::string::npos;
  }

  std::mt19937_64 random_{11};
  struct Counts {
    int cuts = 0;
    int had_to = 0;  // go on, for a block's record was synced
    int gone_on = 0;
  };
  std::map<Loss, Counts> counts_;
};

TEST_P(PowerTest, LostAtEveryChange) {
  ToyJob job(GetParam());
  for (const char* kind : {"write", "sync", "rename", "truncate", "create", "unlink"}) {
    const unsigned long step = stride(GetParam() == Variant::kMemory ? 2 : 7);
    for (unsigned long at = 1; at <= job.calls(kind); at += step) {
      for (const Loss loss : kLosses) {
        const FileFault fault{kind, at, random_() % 2 == 0 ? "kill-before" : "kill-after"};
        SCOPED_TRACE(fault.text() + ", loss " + std::to_string(static_cast<int>(loss)));
        job.reset();
        const Outcome outcome = job.run_cut(fault, loss, random_);
        ASSERT_EQ(outcome.signal, SIGKILL) << outcome.text();
        ASSERT_TRUE(job.output_is_whole());
        Counts& counts = counts_[loss];
        ++counts.cuts;
        // Once more in half of the cases, somewhere in the run that goes on.
        if (random_() % 2 == 0) {
          const FileFault again{"write", 1 + random_() % job.calls("write"), "kill-after"};
          (void)job.run_cut(again, loss, random_);
          ASSERT_TRUE(job.output_is_whole());
          ++counts.cuts;
        }
        const bool must = job.must_go_on();
        ASSERT_TRUE(job.finishes());
        if (must) {
          ASSERT_TRUE(went_on(job)) << "a finished block was lost";
        }
        counts.had_to += must ? 1 : 0;
        counts.gone_on += went_on(job) ? 1 : 0;
      }
    }
  }
  for (const Loss loss : kLosses) {
    const Counts& counts = counts_[loss];
    const std::string name = "loss " + std::to_string(static_cast<int>(loss));
    // Enough of the cuts are where it matters.
    EXPECT_GT(counts.had_to, counts.cuts / 20) << name << ", " << counts.cuts << " cuts";
    EXPECT_GE(counts.gone_on, counts.had_to) << name;
    RecordProperty(name + " cuts", counts.cuts);
    RecordProperty(name + " had to go on", counts.had_to);
    RecordProperty(name + " went on", counts.gone_on);
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, PowerTest, testing::ValuesIn(kVariants),
                         [](const auto& variant) { return std::string(variant_name(variant.param)); });

}  // namespace
}  // namespace scrooge::faults
