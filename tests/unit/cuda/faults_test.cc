// SPDX-License-Identifier: Apache-2.0
// What goes wrong in the driver comes out as the right Status, and nothing stays behind.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "src/backend/backend_list.h"
#include "src/base/cancel.h"
#include "tests/support/cuda_shim/fake_driver.h"

namespace scrooge::backend {
namespace {

using test::shim::fail_call;
using test::shim::fail_kernel;
using test::shim::outstanding;

class Flag final : public CancelToken {
 public:
  bool cancelled() const override { return set; }
  bool poll() override { return set; }
  bool set = false;
};

class FaultsTest : public testing::Test {
 protected:
  void TearDown() override {
    test::shim::fail_nothing();
    test::shim::set_card_capability(86);
    test::shim::set_card_memory(uint64_t{8} << 30);
    EXPECT_EQ(outstanding(), test::shim::Outstanding{});
    EXPECT_EQ(budget_.used(), 0u);
    EXPECT_EQ(host_budget_.used(), 0u);
  }
  DeviceOptions options(CancelToken* cancel = nullptr) { return {1, &budget_, cancel, &host_budget_}; }

  // A little of everything; the first error ends it.
  Status work() {
    SCROOGE_ASSIGN_OR_RETURN(auto device, create_device("cuda-shim", options()));
    SCROOGE_ASSIGN_OR_RETURN(auto x, device->allocate(4096, "x"));
    SCROOGE_ASSIGN_OR_RETURN(auto y, device->allocate(4096, "y"));
    std::vector<float> values(1024, 3.0f);
    SCROOGE_RETURN_IF_ERROR(device->upload(*x, 0, std::as_bytes(std::span(values))));
    SCROOGE_RETURN_IF_ERROR(device->fill_zero(*y, 0, 4096));
    const Matrix mx{x.get(), 0, 1, 1024, 1024}, my{y.get(), 0, 1, 1024, 1024};
    SCROOGE_RETURN_IF_ERROR(device->add({mx, my, 2.0f}));
    SCROOGE_RETURN_IF_ERROR(device->copy(*y, 0, *x, 0, 4096));
    SCROOGE_RETURN_IF_ERROR(device->download(*x, 0, std::as_writable_bytes(std::span(values))));
    SCROOGE_RETURN_IF_ERROR(device->synchronize());
    return values[1000] == 6.0f ? Status() : error(StatusCode::kInternal, "wrong result");
  }

  MemoryBudget budget_, host_budget_;
};

TEST_F(FaultsTest, NothingIsLeftAfterSuccess) {
  const Status status = work();
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(FaultsTest, EveryDriverCallMayFailAndNothingLeaks) {
  std::vector<std::string> symbols;
#define SCROOGE_SYMBOL(member, symbol, parameters) symbols.push_back(#symbol);
  SCROOGE_CUDA_DRIVER_FUNCTIONS(SCROOGE_SYMBOL)
#undef SCROOGE_SYMBOL
  int failures = 0;
  for (const std::string& symbol : symbols) {
    for (int nth = 1; nth <= 40; ++nth) {
      SCOPED_TRACE(symbol + ", call " + std::to_string(nth));
      fail_call(symbol, nth, cuda::kCuLaunchFailed);
      const Status status = work();
      test::shim::fail_nothing();
      ASSERT_EQ(outstanding(), test::shim::Outstanding{});
      ASSERT_EQ(budget_.used() + host_budget_.used(), 0u);
      if (status.ok()) break;  // it is not called that often, or its failure costs nothing
      ++failures;
      ASSERT_EQ(status.code(), StatusCode::kUnavailable) << status.message();
      ASSERT_NE(status.message().find("CUDA_ERROR_LAUNCH_FAILED"), std::string_view::npos) << status.message();
    }
  }
  EXPECT_GT(failures, 20);
}

TEST_F(FaultsTest, OutOfMemoryNamesWhatWasWanted) {
  auto device = create_device("cuda-shim", options());
  ASSERT_TRUE(device.ok());
  test::shim::set_card_memory(1 << 20);
  const auto large = (*device)->allocate(2 << 20, "weights of block 3");
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.status().code(), StatusCode::kOutOfMemory);
  EXPECT_NE(large.status().message().find("weights of block 3"), std::string_view::npos);
  EXPECT_TRUE((*device)->allocate(1 << 19, "less").ok());  // the device goes on
}

TEST_F(FaultsTest, PinnedMemoryMayBeRefused) {
  fail_call("cuMemHostAlloc", 1, cuda::kCuOutOfMemory);
  const Status status = work();
  EXPECT_EQ(status.code(), StatusCode::kOutOfMemory);
  EXPECT_NE(status.message().find("pinned staging"), std::string_view::npos) << status.message();
}

TEST_F(FaultsTest, AKernelThatFailsLosesTheDevice) {
  {
    auto device = create_device("cuda-shim", options());
    ASSERT_TRUE(device.ok());
    auto x = (*device)->allocate(4096, "x");
    auto y = (*device)->allocate(4096, "y");
    ASSERT_TRUE(x.ok() && y.ok());
    fail_kernel(1, cuda::kCuIllegalAddress);
    const Matrix mx{x->get(), 0, 1, 1024, 1024}, my{y->get(), 0, 1, 1024, 1024};
    Status status = (*device)->add({mx, my});
    if (status.ok()) status = (*device)->synchronize();  // the card finds it later
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_NE(status.message().find("CUDA_ERROR_ILLEGAL_ADDRESS"), std::string_view::npos) << status.message();
    // From then on every call gives the same.
    float number = 0;
    EXPECT_EQ((*device)->add({mx, my}).code(), StatusCode::kUnavailable);
    EXPECT_EQ((*device)->synchronize().code(), StatusCode::kUnavailable);
    EXPECT_EQ((*device)->allocate(16, "z").status().code(), StatusCode::kUnavailable);
    EXPECT_EQ((*device)->upload(**x, 0, std::as_bytes(std::span(&number, 1))).code(), StatusCode::kUnavailable);
    EXPECT_EQ((*device)->download(**x, 0, std::as_writable_bytes(std::span(&number, 1))).code(),
              StatusCode::kUnavailable);
  }
  const Status again = work();  // a new device works
  EXPECT_TRUE(again.ok()) << again.message();
}

TEST_F(FaultsTest, CardsThatAreMissingOrTooOld) {
  EXPECT_EQ(create_device("cuda-shim:1", options()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(create_device("cuda-shim:1", options()).status().message().find("cuda:0"), std::string_view::npos);
  fail_call("cuDeviceGetCount", 1, cuda::kCuNoDevice);
  EXPECT_EQ(create_device("cuda-shim", options()).status().code(), StatusCode::kUnavailable);
  test::shim::set_card_capability(61);
  const auto old = create_device("cuda-shim", options());
  EXPECT_EQ(old.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(old.status().message().find("6.1"), std::string_view::npos);
  const auto backend = find_backend("cuda-shim");
  ASSERT_TRUE(backend.ok());
  const auto listed = (*backend)->list_devices();
  ASSERT_TRUE(listed.ok());
  EXPECT_FALSE(listed->front().unfit.empty());
  EXPECT_EQ(listed->front().total_bytes, uint64_t{8} << 30);
}

TEST_F(FaultsTest, AskedToStop) {
  Flag flag;
  auto device = create_device("cuda-shim", options(&flag));
  ASSERT_TRUE(device.ok());
  auto x = (*device)->allocate(4096, "x");
  auto y = (*device)->allocate(4096, "y");
  ASSERT_TRUE(x.ok() && y.ok());
  flag.set = true;
  const Matrix mx{x->get(), 0, 1, 1024, 1024}, my{y->get(), 0, 1, 1024, 1024};
  EXPECT_EQ((*device)->add({mx, my}).code(), StatusCode::kCancelled);
  std::vector<std::byte> bytes(4096);
  EXPECT_EQ((*device)->upload(**x, 0, bytes).code(), StatusCode::kCancelled);
  EXPECT_EQ((*device)->download(**x, 0, bytes).code(), StatusCode::kCancelled);
  flag.set = false;
  EXPECT_TRUE((*device)->synchronize().ok());
}

}  // namespace
}  // namespace scrooge::backend
