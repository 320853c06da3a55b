// SPDX-License-Identifier: Apache-2.0
// The caller's allocator refuses its N-th block, for every N, once and for good.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/faults/capi_job.h"

namespace scrooge::faults {
namespace {

struct Ledger {
  unsigned long at = 0;  // 0: never
  bool always = false;
  unsigned long calls = 0;
  long held = 0;
};

void* take(void* user, size_t size, size_t alignment) {
  auto& ledger = *static_cast<Ledger*>(user);
  ++ledger.calls;
  if (ledger.at != 0 && (ledger.calls == ledger.at || (ledger.always && ledger.calls > ledger.at))) return nullptr;
  void* const block = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (block != nullptr) ++ledger.held;
  return block;
}

void give(void* user, void* block, size_t) {
  --static_cast<Ledger*>(user)->held;
  std::free(block);
}

class AllocatorHookTest : public testing::TestWithParam<bool> {
 protected:
  AllocatorHookTest() {
    hook_.struct_size = sizeof hook_;
    hook_.allocate = &take;
    hook_.release = &give;
    hook_.user = &ledger_;
    options_.allocator = &hook_;
  }

  scrooge_status run(unsigned long at) {
    ledger_ = {at, GetParam(), 0, 0};
    return job_.run(options_);
  }

  CapiJob job_;
  Ledger ledger_;
  scrooge_allocator hook_{};
  scrooge_quantize_options options_ = job_.options();
};

TEST_P(AllocatorHookTest, EveryRefusalIsAStatusAndEverythingIsGivenBack) {
  ASSERT_EQ(run(0), SCROOGE_OK) << job_.message();
  const unsigned long calls = ledger_.calls;
  const std::string expected = job_.output();
  RecordProperty("allocations", std::to_string(calls));
  ASSERT_GT(calls, 0u);
  for (unsigned long at = 1; at <= calls; ++at) {
    SCOPED_TRACE(at);
    job_.reset();
    ASSERT_EQ(run(at), SCROOGE_OUT_OF_MEMORY) << job_.message();
    ASSERT_FALSE(job_.message().empty());
    ASSERT_EQ(ledger_.held, 0);
    ASSERT_EQ(job_.output(), kOldOutput);
    ASSERT_EQ(run(0), SCROOGE_OK) << job_.message();
    ASSERT_EQ(job_.output(), expected);
    ASSERT_EQ(job_.leftovers(), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, AllocatorHookTest, testing::Bool(),
                         [](const auto& always) { return always.param ? "for_good" : "once"; });

}  // namespace
}  // namespace scrooge::faults
