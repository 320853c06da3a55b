// SPDX-License-Identifier: Apache-2.0
#include "src/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>

namespace scrooge {
namespace {

// What the workers run is shallow. The usual 8 MiB a thread count against the limits of a process (RLIMIT_DATA), though
// they are never touched.
constexpr size_t kStackBytes = size_t{2} << 20;

}  // namespace

struct ThreadPool::Worker {
  ThreadPool* pool;
  int number;
};

struct ThreadPool::Job {
  const std::function<void(int64_t, int)>& task;
  const int64_t count;
  std::atomic<int64_t> next{0};
  std::atomic<bool> stopped{false};
  std::atomic<bool> no_memory{false};

  Status outcome() const {
    if (no_memory.load(std::memory_order_relaxed)) {
      return error(StatusCode::kOutOfMemory, "the system refused memory to a thread; close other programs");
    }
    return stopped.load(std::memory_order_relaxed) ? cancelled_status() : Status();
  }
};

ThreadPool::ThreadPool(int threads, CancelToken* cancel) : cancel_(cancel) {
  workers_.reserve(static_cast<size_t>(std::max(threads, 1) - 1));
  pthread_attr_t attributes;
  if (threads > 1 && ::pthread_attr_init(&attributes) == 0) {
    (void)::pthread_attr_setstacksize(&attributes, kStackBytes);
    // Where the system denies a thread, or the memory for one, the pool does with less.
    for (int number = 1; number < threads; ++number) {
      std::unique_ptr<Worker> worker(new (std::nothrow) Worker{this, number});
      pthread_t thread;
      if (worker == nullptr || ::pthread_create(&thread, &attributes, start_worker, worker.get()) != 0) break;
      (void)worker.release();  // the thread's
      workers_.push_back(thread);
    }
    ::pthread_attr_destroy(&attributes);
  }
  threads_ = 1 + static_cast<int>(workers_.size());
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (const pthread_t worker : workers_) ::pthread_join(worker, nullptr);
}

// A failed allocation must not leave this function: on a worker it would end the process, on the caller the job would
// be gone while the workers are still at it.
void ThreadPool::run(Job& job, int worker) const {
  try {
    for (;;) {
      if (stop_asked(worker)) {
        job.stopped.store(true, std::memory_order_relaxed);
        return;
      }
      const int64_t index = job.next.fetch_add(1, std::memory_order_relaxed);
      if (index >= job.count) return;
      job.task(index, worker);
    }
  } catch (const std::bad_alloc&) {
    job.no_memory.store(true, std::memory_order_relaxed);
    job.next.store(job.count, std::memory_order_relaxed);
  }
}

Status ThreadPool::parallel_for(int64_t count, const std::function<void(int64_t, int)>& task) {
  if (count <= 0) return {};
  Job job{task, count};
  if (threads_ == 1 || count == 1) {
    run(job, 0);
    return job.outcome();
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
  return job.outcome();
}

void* ThreadPool::start_worker(void* argument) {
  const std::unique_ptr<Worker> worker(static_cast<Worker*>(argument));
  worker->pool->worker_loop(worker->number);
  return nullptr;
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
