// SPDX-License-Identifier: Apache-2.0
#include "src/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <system_error>

namespace scrooge {

struct ThreadPool::Job {
  const std::function<void(int64_t, int)>& task;
  const int64_t count;
  std::atomic<int64_t> next{0};
};

ThreadPool::ThreadPool(int threads) {
  workers_.reserve(static_cast<size_t>(std::max(threads, 1) - 1));
  // Unwinding with threads running would end the process, so a pool that the system denies a thread does with less.
  try {
    for (int worker = 1; worker < threads; ++worker) workers_.emplace_back([this, worker] { worker_loop(worker); });
  } catch (const std::system_error&) {
  }
  threads_ = 1 + static_cast<int>(workers_.size());
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(Job& job, int worker) {
  for (;;) {
    const int64_t index = job.next.fetch_add(1, std::memory_order_relaxed);
    if (index >= job.count) return;
    job.task(index, worker);
  }
}

void ThreadPool::parallel_for(int64_t count, const std::function<void(int64_t, int)>& task) {
  if (count <= 0) return;
  Job job{task, count};
  if (threads_ == 1 || count == 1) {
    run(job, 0);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    job_ = &job;
    ++generation_;
    active_ = threads_ - 1;
  }
  wake_.notify_all();
  run(job, 0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return active_ == 0; });
  job_ = nullptr;
}

void ThreadPool::worker_loop(int worker) {
  uint64_t seen = 0;
  for (;;) {
    Job* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
      if (stopping_) return;
      seen = generation_;
      job = job_;
    }
    run(*job, worker);
    {
      const std::lock_guard lock(mutex_);
      --active_;
    }
    done_.notify_one();
  }
}

}  // namespace scrooge
