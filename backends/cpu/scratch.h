// SPDX-License-Identifier: Apache-2.0
// Working memory of the ops: one part shared by all workers and one part per worker, from the job's budget. Nothing is
// taken before an op needs it; parts only grow, so that a job settles after its first block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/base/memory_budget.h"

namespace scrooge::backend::cpu {

// Hands out consecutive ranges of one part, each aligned to 256 bytes; also counts what they come to beforehand.
class Carver {
 public:
  explicit Carver(std::byte* base = nullptr) : base_(base) {}

  template <typename T>
  T* take(int64_t count) {
    std::byte* at = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (static_cast<uint64_t>(count) * sizeof(T) + 255) / 256 * 256;
    return reinterpret_cast<T*>(at);
  }
  uint64_t used() const { return used_; }

 private:
  std::byte* base_;
  uint64_t used_ = 0;
};

// prepare() is called by the thread that runs the op, before its tasks; the rest may be used inside tasks.
class Scratch {
 public:
  Scratch(MemoryBudget& budget, int workers) : budget_(budget), workers_(static_cast<size_t>(workers)) {}

  // Makes the parts at least this large; content of grown parts is lost.
  Status prepare(uint64_t shared_bytes, uint64_t worker_bytes);
  std::byte* shared() const { return shared_.data(); }
  std::byte* worker(int index) const { return workers_[static_cast<size_t>(index)].data(); }

 private:
  static Status grow(MemoryBudget& budget, HostBlock& block, uint64_t bytes);

  MemoryBudget& budget_;
  HostBlock shared_;
  std::vector<HostBlock> workers_;
};

}  // namespace scrooge::backend::cpu
