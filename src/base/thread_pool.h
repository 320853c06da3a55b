// SPDX-License-Identifier: Apache-2.0
// A fixed pool the caller sizes. Work is cut by the caller into tasks whose results do not depend on which worker ran
// them, so that output bytes are the same for every thread count.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace scrooge {

class ThreadPool {
 public:
  // `threads` >= 1 workers in all, the calling thread included; 1 starts no thread. Fewer where the system gives no
  // more threads.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls task(index, worker) for every index in [0, count), worker in [0, threads()); returns when all are done.
  // Tasks must not throw and must not call parallel_for of the same pool. One parallel_for at a time per pool.
  void parallel_for(int64_t count, const std::function<void(int64_t index, int worker)>& task);

 private:
  struct Job;
  void worker_loop(int worker);
  static void run(Job& job, int worker);

  int threads_ = 1;
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  Job* job_ = nullptr;
  uint64_t generation_ = 0;
  int active_ = 0;
  bool stopping_ = false;
};

}  // namespace scrooge
