// SPDX-License-Identifier: Apache-2.0
// The N-th allocation of a job refused, for every N, once and for good: a status, nothing lost, the older output
// untouched, and the same job again gives the bytes of one that nobody disturbed. In this process, so that what is held
// before and after can be compared.
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>

#include "tests/faults/allocation_shim.h"
#include "tests/faults/capi_job.h"
#include "tests/faults/stride.h"

namespace scrooge::faults {
namespace {

struct Setting {
  const char* name;
  bool always;
  bool spill;
  uint32_t threads;
  const char* device;
};

class AllocationTest : public testing::TestWithParam<Setting> {
 protected:
  scrooge_status run(unsigned long at) {
    fail_allocation(at, GetParam().always);
    const scrooge_status status = job_.run(options_);
    count_ = stop_failing();
    return status;
  }

  static size_t open_files() {
    const std::filesystem::directory_iterator entries("/proc/self/fd");
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }

  CapiJob job_;
  scrooge_quantize_options options_ = job_.options();
  unsigned long count_ = 0;
};

TEST_P(AllocationTest, EveryRefusalIsAStatusAndLosesNothing) {
  options_.threads = GetParam().threads;
  options_.device = GetParam().device;
  if (GetParam().spill) job_.spill(options_);
  // The first run of a process fills what libraries keep: code that is made once, tables of the C library.
  for (int i = 0; i < 2; ++i) ASSERT_EQ(run(0), SCROOGE_OK) << job_.message();
  const unsigned long count = count_;
  const std::string expected = job_.output();
  RecordProperty("allocations", std::to_string(count));

  unsigned long refused = 0;
  // Not the same ones in every setting.
  for (unsigned long at = 1 + (GetParam().always ? stride(199) / 2 : 0); at <= count; at += stride(199)) {
    SCOPED_TRACE(at);
    job_.reset();
    const size_t files = open_files();
    const Held before = held();
    const scrooge_status status = run(at);
    const Held after = held();
    refused += status == SCROOGE_OUT_OF_MEMORY ? 1 : 0;
    ASSERT_TRUE(status == SCROOGE_OK || status == SCROOGE_OUT_OF_MEMORY) << status << ": " << job_.message();
    ASSERT_EQ(after.blocks, before.blocks) << after.bytes - before.bytes << " bytes";
    ASSERT_EQ(after.maps, before.maps);
    ASSERT_EQ(open_files(), files);
    const std::string now = job_.output();
    ASSERT_TRUE(now == expected || (status != SCROOGE_OK && now == kOldOutput));
    ASSERT_EQ(run(0), SCROOGE_OK) << job_.message();
    ASSERT_EQ(job_.output(), expected);
    ASSERT_EQ(job_.leftovers(), 0u);
  }
  EXPECT_GT(refused, 0u);
}

INSTANTIATE_TEST_SUITE_P(Faults, AllocationTest,
                         testing::Values(Setting{"once", false, false, 1, "cpu"},
                                         Setting{"for_good", true, false, 1, "cpu"},
                                         Setting{"once_spilled", false, true, 1, "cpu"},
                                         Setting{"once_on_threads", false, false, 3, "cpu"},
                                         Setting{"for_good_on_threads", true, false, 3, "cpu"},
                                         Setting{"once_on_reference", false, false, 1, "reference"}),
                         [](const auto& setting) { return std::string(setting.param.name); });

}  // namespace
}  // namespace scrooge::faults
