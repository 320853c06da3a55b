// SPDX-License-Identifier: Apache-2.0
// Every op that takes long on wide layers stops soon after it was asked to, by whatever thread.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <numeric>
#include <thread>

#include "src/backend/backend_list.h"
#include "src/base/cancel.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::backend {
namespace {

using Clock = std::chrono::steady_clock;

// The width of an 8B model's attention; the ops below take from a fifth of a second to a minute there.
constexpr int64_t kWide = 4096;
#ifdef SCROOGE_SANITIZED
constexpr double kBoundSeconds = 60.0;  // there it is the threads that are looked at, not the time
#else
// An idle machine needs 50 ms at most; tests run on loaded ones.
constexpr double kBoundSeconds = 1.0;
#endif

class Flag final : public CancelToken {
 public:
  bool cancelled() const override { return set_.load(); }
  bool poll() override { return cancelled(); }
  void set() { set_.store(true); }
  // For the next op of the test; work is asked to stop once.
  void clear() { set_.store(false); }

 private:
  std::atomic<bool> set_{false};
};

class CancelTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto device = create_device(GetParam(), {2, &budget_, &flag_});
    ASSERT_TRUE(device.ok()) << device.status().message();
    device_ = std::move(*device);
  }
  Matrix matrix(int64_t rows, int64_t cols, DType dtype = DType::kF32) {
    auto buffer = device_->allocate(static_cast<uint64_t>(rows * cols * dtype_size(dtype)), "test");
    EXPECT_TRUE(buffer.ok());
    buffers_.push_back(std::move(*buffer));
    return {buffers_.back().get(), 0, rows, cols, cols, dtype};
  }
  Matrix filled(int64_t rows, int64_t cols, const std::function<float(int64_t, int64_t)>& value) {
    const Matrix m = matrix(rows, cols);
    auto* to = reinterpret_cast<float*>(m.buffer->host_data());
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) *to++ = value(r, c);
    }
    return m;
  }
  Matrix weights() {
    return filled(kWide, kWide, [](int64_t r, int64_t c) { return static_cast<float>((r * 31 + c * 17) % 101 - 50); });
  }
  // Positive definite.
  Matrix gram() {
    return filled(kWide, kWide, [](int64_t r, int64_t c) { return r == c ? 2.0f : 1.0f / static_cast<float>(kWide); });
  }
  struct Codes {
    Matrix codes, scales, zeros;
  };
  Codes round(const Matrix& w) {
    const int64_t groups = spec_.groups(w.cols);
    const Codes c{matrix(w.rows, w.cols, DType::kU8), matrix(w.rows, groups), matrix(w.rows, groups)};
    EXPECT_TRUE(device_->group_params({w, c.scales, c.zeros, spec_, {}}).ok());
    EXPECT_TRUE(device_->quantize({w, c.scales, c.zeros, c.codes, spec_}).ok());
    return c;
  }

  // Asks to stop 30 ms after the op began.
  void expect_stops(const char* name, const std::function<Status()>& op) {
    Clock::time_point asked;
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      asked = Clock::now();
      flag_.set();
    });
    const Status status = op();
    const Clock::time_point back = Clock::now();
    other.join();
    EXPECT_EQ(status.code(), StatusCode::kCancelled) << name << ": " << status.message();
    const double seconds = std::chrono::duration<double>(back - asked).count();
    std::printf("%s stopped after %.0f ms\n", name, 1000 * seconds);
    EXPECT_LT(seconds, kBoundSeconds) << name;
    flag_.clear();
  }

  QuantSpec spec_;
  std::vector<int32_t> order_ = [] {
    std::vector<int32_t> order(kWide);
    std::iota(order.begin(), order.end(), 0);
    return order;
  }();
  Flag flag_;
  MemoryBudget budget_;
  std::unique_ptr<Device> device_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
};

TEST_P(CancelTest, GemmStops) {
  const Matrix x = weights();
  const Matrix w = weights();
  const Matrix y = matrix(kWide, kWide);
  expect_stops("gemm", [&] { return device_->gemm({x, w, y, {}, 0, Precision::kExact}); });
}

TEST_P(CancelTest, GramAccumulateStops) {
  const Matrix x = weights();
  const Matrix to = matrix(kWide, kWide);
  expect_stops("gram_accumulate", [&] { return device_->gram_accumulate({x, x, to, true, true, Precision::kExact}); });
}

TEST_P(CancelTest, ScaleSearchStops) {
  const Matrix w = weights();
  const Matrix g = gram();
  const Matrix candidates = filled(8, kWide, [](int64_t, int64_t) { return 1.0f; });
  std::vector<double> loss(8);
  expect_stops("scale_search_loss", [&] {
    return device_->scale_search_loss({w, g, candidates, spec_, {}, loss, Precision::kExact});
  });
}

TEST_P(CancelTest, GramFactorStops) {
  const Matrix g = gram();
  bool definite = false;
  expect_stops("gram_factor", [&] { return device_->gram_factor({g, g, order_, 0.01, &definite}); });
}

TEST_P(CancelTest, GramSolveStops) {
  const Matrix x = weights();
  const Matrix g = gram();  // whatever the numbers
  expect_stops("gram_solve", [&] { return device_->gram_solve({x, g, x, order_}); });
}

TEST_P(CancelTest, RoundingRefiningAndRefittingStop) {
  const Matrix w = weights();
  const Matrix g = gram();
  const Codes c = round(w);
  const std::pair<const char*, std::function<Status()>> ops[] = {
      {"gptq",
       [&] {
         return device_->gptq({w, c.scales, c.zeros, g, c.codes, order_, spec_});
       }},
      {"refine_codes",
       [&] {
         return device_->refine_codes({w, c.codes, c.scales, c.zeros, g, spec_, 50});
       }},
      {"refit_scales",
       [&] {
         return device_->refit_scales({w, c.codes, c.zeros, g, c.scales, spec_});
       }},
  };
  for (const auto& [name, op] : ops) expect_stops(name, op);
}

INSTANTIATE_TEST_SUITE_P(Backends, CancelTest, testing::Values("cpu", "cpu-eigen"),
                         [](const auto& made) { return test::test_name(made.param); });

}  // namespace
}  // namespace scrooge::backend
