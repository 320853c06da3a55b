// SPDX-License-Identifier: Apache-2.0
// Numbers that ops write to host memory: they travel to pinned memory in the order of the work, and from there to the
// caller's memory when he synchronizes.
#pragma once

#include <span>
#include <vector>

#include "backends/cuda/queue.h"
#include "src/base/memory_budget.h"

namespace scrooge::backend::cuda {

class HostResults {
 public:
  // `budget` counts the pinned memory. All outlive it; the context is current in every call.
  HostResults(DriverContext& context, Queue& queue, MemoryBudget& budget)
      : context_(context), queue_(queue), budget_(budget) {}
  HostResults(const HostResults&) = delete;
  HostResults& operator=(const HostResults&) = delete;

  // `to` gets what is at `from` once the work asked for so far is done, by the next deliver().
  Status fetch(CuAddress from, std::span<std::byte> to, CancelToken* cancel);
  // Waits for the queue and writes all numbers asked for. After an error none of them is owed any more.
  Status deliver(CancelToken* cancel);
  void close();

 private:
  struct Owed {
    size_t offset = 0;
    std::span<std::byte> to;
  };

  DriverContext& context_;
  Queue& queue_;
  MemoryBudget& budget_;
  std::byte* pinned_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
  std::vector<Owed> owed_;
};

}  // namespace scrooge::backend::cuda
