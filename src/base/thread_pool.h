// SPDX-License-Identifier: Apache-2.0
// A fixed pool the caller sizes. Work is cut by the caller into tasks whose results do not depend on which worker ran
// them, so that output bytes are the same for every thread count.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "src/base/cancel.h"

namespace scrooge {

class ThreadPool {
 public:
  // `threads` >= 1 workers in all, the calling thread included; 1 starts no thread. Fewer where the system gives no
  // more threads. `cancel`, when there is one, is asked before every task; it must outlive the pool.
  explicit ThreadPool(int threads, CancelToken* cancel = nullptr);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls task(index, worker) for every index in [0, count), worker in [0, threads()); returns when all are done,
  // or with kCancelled when that was asked for: then those that had begun are done, and the others never will be.
  // kOutOfMemory when a task met std::bad_alloc, the one thing that it may throw; the others may then not be run.
  // Worker 0 is the calling thread. Tasks must not call parallel_for of the same pool. One parallel_for at a time per
  // pool.
  Status parallel_for(int64_t count, const std::function<void(int64_t index, int worker)>& task);
  // For tasks that take long: kCancelled when that was asked for.
  Status check_cancelled(int worker) const { return stop_asked(worker) ? cancelled_status() : Status(); }

 private:
  struct Job;
  struct Worker;
  static void* start_worker(void* argument);
  void worker_loop(int worker);
  void run(Job& job, int worker) const;
  bool stop_asked(int worker) const {
    return cancel_ != nullptr && (worker == 0 ? cancel_->poll() : cancel_->cancelled());
  }

  int threads_ = 1;
  CancelToken* const cancel_;
  std::vector<pthread_t> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  Job* job_ = nullptr;
  uint64_t generation_ = 0;
  int active_ = 0;
  bool stopping_ = false;
};

}  // namespace scrooge
