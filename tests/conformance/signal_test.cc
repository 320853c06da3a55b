// SPDX-License-Identifier: Apache-2.0
// Signals that the host program handles arrive at any instruction of an op, on any of its threads.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "src/backend/backend_list.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::backend {
namespace {

std::atomic<int> g_signals{0};

// Wide enough a frame to overwrite what a kernel keeps where it must not.
extern "C" void on_test_signal(int) {
  volatile unsigned char frame[4096];
  for (unsigned char volatile& byte : frame) byte = 0xa5;
  g_signals.fetch_add(1);
}

// A signal every 200 microseconds to the thread that made it.
class SignalStorm {
 public:
  SignalStorm() {
    struct sigaction action {};
    action.sa_handler = &on_test_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, &before_);
    thread_ = std::thread([this] {
      while (!stop_) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        pthread_kill(target_, SIGUSR1);
      }
    });
  }
  ~SignalStorm() {
    stop_ = true;
    thread_.join();
    sigaction(SIGUSR1, &before_, nullptr);
  }

 private:
  const pthread_t target_ = pthread_self();
  std::atomic<bool> stop_{false};
  struct sigaction before_ {};
  std::thread thread_;
};

class SignalTest : public testing::TestWithParam<const char*> {};

TEST_P(SignalTest, ProductsAreTheSameUnderSignals) {
  MemoryBudget budget;
  const auto device = create_device(GetParam(), {1, &budget});
  ASSERT_TRUE(device.ok()) << device.status().message();
  constexpr int64_t kTokens = 512;
  constexpr int64_t kWidth = 384;
  const auto matrix = [&](int64_t rows, int64_t cols, const std::unique_ptr<Buffer>& buffer) {
    return Matrix{buffer.get(), 0, rows, cols, cols, DType::kF32};
  };
  auto x_buffer = (*device)->allocate(kTokens * kWidth * sizeof(float), "test");
  auto y_buffer = (*device)->allocate(kTokens * kTokens * sizeof(float), "test");
  auto gram_buffer = (*device)->allocate(kWidth * kWidth * sizeof(float), "test");
  ASSERT_TRUE(x_buffer.ok() && y_buffer.ok() && gram_buffer.ok());
  const std::vector<float> values = test::SeededValues(3).bells(kTokens * kWidth);
  ASSERT_TRUE((*device)->upload(**x_buffer, 0, std::as_bytes(std::span(values))).ok());
  const Matrix x = matrix(kTokens, kWidth, *x_buffer);
  const Matrix y = matrix(kTokens, kTokens, *y_buffer);
  const Matrix gram = matrix(kWidth, kWidth, *gram_buffer);
  const auto results = [&](Precision precision) {
    std::vector<float> found(static_cast<size_t>(kTokens * kTokens + kWidth * kWidth));
    const std::span all(found);
    const std::span<float> products = all.first(kTokens * kTokens);
    test::expect_ok((*device)->fill_zero(**gram_buffer, 0, (*gram_buffer)->size()));
    test::expect_ok((*device)->gemm({x, x, y, {}, 0, precision}));
    test::expect_ok((*device)->gram_accumulate({x, x, gram, true, true, precision}));
    test::expect_ok((*device)->download(**y_buffer, 0, std::as_writable_bytes(products)));
    test::expect_ok((*device)->download(**gram_buffer, 0, std::as_writable_bytes(all.subspan(products.size()))));
    return found;
  };
  for (const Precision precision : {Precision::kExact, Precision::kFast}) {
    const std::vector<float> expected = results(precision);
    const SignalStorm storm;
    g_signals = 0;
    for (int round = 0; round < 2000 && g_signals < 400; ++round) ASSERT_EQ(results(precision), expected);
    EXPECT_GT(g_signals, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, SignalTest, testing::Values("cpu", "cpu-eigen"),
                         [](const auto& made) { return test::test_name(made.param); });

}  // namespace
}  // namespace scrooge::backend
