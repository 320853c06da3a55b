// SPDX-License-Identifier: Apache-2.0
// Power lost at every call that changes files, and once more while the job goes on: the output is the old one or the
// new one, and the same command again gives the bytes of a job that nobody disturbed.
#include <gtest/gtest.h>

#include <csignal>
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
  int cuts_ = 0;
  int gone_on_ = 0;
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
        ++cuts_;
        // Once more in half of the cases, somewhere in the run that goes on.
        if (random_() % 2 == 0) {
          const FileFault again{"write", 1 + random_() % job.calls("write"), "kill-after"};
          (void)job.run_cut(again, loss, random_);
          ASSERT_TRUE(job.output_is_whole());
          ++cuts_;
        }
        ASSERT_TRUE(job.finishes());
        gone_on_ += went_on(job) ? 1 : 0;
      }
    }
  }
  // What was synced is used: not every job started over.
  EXPECT_GT(gone_on_, cuts_ / 10) << cuts_ << " cuts";
  RecordProperty("cuts", cuts_);
}

INSTANTIATE_TEST_SUITE_P(Faults, PowerTest, testing::ValuesIn(kVariants),
                         [](const auto& variant) { return std::string(variant_name(variant.param)); });

}  // namespace
}  // namespace scrooge::faults
