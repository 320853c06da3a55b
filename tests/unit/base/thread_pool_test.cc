// SPDX-License-Identifier: Apache-2.0
#include "src/base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>
#include <vector>

namespace scrooge {
namespace {

TEST(ThreadPool, RunsEveryIndexOnceForAnyThreadCount) {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const int64_t count : {0, 1, 2, 5, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
      std::atomic<bool> bad_worker{false};
      const Status status = pool.parallel_for(count, [&](int64_t index, int worker) {
        ++seen[static_cast<size_t>(index)];
        if (worker < 0 || worker >= threads) bad_worker = true;
      });
      EXPECT_TRUE(status.ok());
      EXPECT_FALSE(bad_worker);
      for (const auto& times : seen) ASSERT_EQ(times, 1);
    }
  }
}

TEST(ThreadPool, AWorkerRunsOneTaskAtATime) {
  ThreadPool pool(4);
  std::vector<int64_t> sums(4);  // written without a lock: each worker owns its slot
  ASSERT_TRUE(
      pool.parallel_for(10000, [&](int64_t index, int worker) { sums[static_cast<size_t>(worker)] += index; }).ok());
  EXPECT_EQ(sums[0] + sums[1] + sums[2] + sums[3], int64_t{10000} * 9999 / 2);
}

TEST(ThreadPool, IsReusedManyTimes) {
  ThreadPool pool(3);
  std::atomic<int64_t> total{0};
  for (int round = 0; round < 500; ++round) {
    ASSERT_TRUE(pool.parallel_for(4, [&](int64_t index, int) { total += index; }).ok());
  }
  EXPECT_EQ(total, 500 * 6);
}

// Asks to stop after a number of questions.
class CountingToken final : public CancelToken {
 public:
  explicit CountingToken(int64_t polls) : left_(polls) {}
  bool cancelled() const override { return left_.load() <= 0; }
  bool poll() override {
    --left_;
    return cancelled();
  }

 private:
  std::atomic<int64_t> left_;
};

TEST(ThreadPool, HandsOutNoTaskOnceItIsToStop) {
  for (const int threads : {1, 3}) {
    CountingToken token(5);
    ThreadPool pool(threads, &token);
    std::atomic<int64_t> ran{0};
    // Only the caller's thread polls; however late it comes to it, the others must not be through before.
    const Status status = pool.parallel_for(1'000'000, [&](int64_t, int worker) {
      ++ran;
      while (worker != 0 && !token.cancelled()) std::this_thread::yield();
    });
    EXPECT_EQ(status.code(), StatusCode::kCancelled);
    EXPECT_LT(ran, 1'000'000);
    // It stays so, also for a single task.
    EXPECT_EQ(pool.parallel_for(1, [&](int64_t, int) { ran = -1; }).code(), StatusCode::kCancelled);
    EXPECT_NE(ran, -1);
    EXPECT_EQ(pool.check_cancelled(threads - 1).code(), StatusCode::kCancelled);
  }
}

TEST(ThreadPool, AtLeastOneThread) {
  ThreadPool pool(0);
  EXPECT_EQ(pool.threads(), 1);
}

TEST(ThreadPool, DoesWithFewerThreadsThanItAskedFor) {
#ifdef SCROOGE_SANITIZED
  GTEST_SKIP() << "a sanitizer ends the process where it is refused memory";
#endif
  rlimit usual;
  ASSERT_EQ(::getrlimit(RLIMIT_DATA, &usual), 0);
  rlimit nothing_more = usual;
  nothing_more.rlim_cur = 1;
  ASSERT_EQ(::setrlimit(RLIMIT_DATA, &nothing_more), 0);
  ThreadPool pool(100);  // some may get the stacks of threads that ended
  ASSERT_EQ(::setrlimit(RLIMIT_DATA, &usual), 0);
  EXPECT_LT(pool.threads(), 100);
  int64_t total = 0;
  ASSERT_TRUE(pool.parallel_for(10, [&](int64_t index, int) { total += index; }).ok());
  EXPECT_EQ(total, 45);
}

}  // namespace
}  // namespace scrooge
