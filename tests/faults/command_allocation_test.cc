// SPDX-License-Identifier: Apache-2.0
// The N-th allocation of the whole command refused, from scrooge_job_prepare on: what a process does once,
// which allocation_test.cc has behind it.
#include <gtest/gtest.h>

#include "tests/faults/stride.h"
#include "tests/faults/toy_job.h"

namespace scrooge::faults {
namespace {

class CommandAllocationTest : public testing::TestWithParam<Variant> {
 protected:
  void fail_each(bool always, unsigned long first, unsigned long usual_stride) {
    const unsigned long count = job_.count_allocations();
    ASSERT_GT(count, 1000u);
    RecordProperty("allocations", std::to_string(count));
    for (unsigned long at = stride(usual_stride) == 1 ? 1 : first; at <= count; at += stride(usual_stride)) {
      SCOPED_TRACE(std::to_string(at) + (always ? " and later" : ""));
      job_.reset();
      const Outcome outcome = job_.run_refused(at, always);
      ASSERT_TRUE(outcome.succeeded() || ToyJob::fails_cleanly(outcome)) << outcome.text();
      ASSERT_TRUE(job_.output_is_whole(!outcome.succeeded()));
      ASSERT_TRUE(job_.finishes());
    }
  }
  unsigned long usual() const { return GetParam() == Variant::kSpill ? 4999 : 701; }

  ToyJob job_{GetParam()};
};

TEST_P(CommandAllocationTest, Once) { fail_each(false, 1, usual()); }
TEST_P(CommandAllocationTest, ForGood) { fail_each(true, usual() / 2, usual()); }

INSTANTIATE_TEST_SUITE_P(Faults, CommandAllocationTest, testing::ValuesIn(kVariants),
                         [](const auto& variant) { return std::string(variant_name(variant.param)); });

}  // namespace
}  // namespace scrooge::faults
