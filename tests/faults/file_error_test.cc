// SPDX-License-Identifier: Apache-2.0
// Every call on a file made to fail in turn. Interrupted and short calls change nothing; other errors end the job with
// a message, or do not matter. Either way the older output is there until the new one is, and the same command again
// gives the bytes of a job that nobody disturbed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "tests/faults/faults.h"
#include "tests/faults/stride.h"
#include "tests/faults/toy_job.h"

namespace scrooge::faults {
namespace {

class FileErrorTest : public testing::TestWithParam<Variant> {
 protected:
  // Every call of `kind`; outside the long run only `few` of them, from another first one for every `shift`.
  void fail_each(const char* kind, const std::string& action, bool always, bool must_succeed, unsigned long shift) {
    const unsigned long calls = job_.calls(kind);
    const unsigned long few = GetParam() == Variant::kMemory ? 5 : 1;
    const unsigned long step = stride((calls + few - 1) / few);
    for (unsigned long at = 1 + shift % std::max(step, 1ul); at <= calls; at += step) {
      const FileFault fault{kind, at, action, always};
      SCOPED_TRACE(fault.text());
      job_.reset();
      const Outcome outcome = job_.run(fault);
      ASSERT_TRUE(outcome.succeeded() || (!must_succeed && ToyJob::fails_cleanly(outcome))) << outcome.text();
      ASSERT_TRUE(job_.output_is_whole(!outcome.succeeded()));
      ASSERT_TRUE(job_.finishes());
    }
  }
  void fail_all(int error, bool always) {
    for (const char* kind : kFileCallNames) {
      if (!HasFailure()) fail_each(kind, std::to_string(error), always, false, static_cast<unsigned long>(error));
    }
  }

  ToyJob job_{GetParam()};
};

TEST_P(FileErrorTest, IoErrorOnce) { fail_all(EIO, false); }
TEST_P(FileErrorTest, IoErrorForGood) { fail_all(EIO, true); }
TEST_P(FileErrorTest, DiskFullOnce) { fail_all(ENOSPC, false); }
TEST_P(FileErrorTest, DiskFullForGood) { fail_all(ENOSPC, true); }
TEST_P(FileErrorTest, QuotaUsedUp) { fail_all(EDQUOT, false); }
TEST_P(FileErrorTest, InterruptedCallsAreMadeAgain) {
  // Those that a signal can interrupt.
  for (const char* kind : {"write", "sync", "rename", "truncate", "allocate", "create", "open", "read"}) {
    fail_each(kind, std::to_string(EINTR), false, true, EINTR);
  }
}
TEST_P(FileErrorTest, ShortCountsAreContinued) {
  for (const char* kind : {"read", "write"}) fail_each(kind, "short", false, true, 3);
  for (const char* kind : {"read", "write"}) {
    const FileFault every{kind, 1, "short", true};
    SCOPED_TRACE(every.text());
    job_.reset();
    const Outcome outcome = job_.run(every);
    ASSERT_TRUE(outcome.succeeded()) << outcome.text();
    ASSERT_TRUE(job_.output_is_whole(false));
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, FileErrorTest, testing::ValuesIn(kVariants),
                         [](const auto& variant) { return std::string(variant_name(variant.param)); });

}  // namespace
}  // namespace scrooge::faults
