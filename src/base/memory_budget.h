// SPDX-License-Identifier: Apache-2.0
// MemoryBudget: the one gate for every large allocation of a job, and for the mapped pages it holds resident.
//
// Large blocks come from anonymous maps, or from the allocator hook of the C ABI: they go back to the system at once,
// so the process is as large as the accounting says. mimalloc's shared library, the only one the distribution has,
// exports malloc and free themselves; linking it would replace the host program's allocator, which a library must not
// do.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "src/base/result.h"

namespace scrooge {

// alloc returns null on failure; both are called from one thread at a time per job.
struct AllocatorHook {
  std::function<void*(size_t bytes, size_t alignment)> allocate;
  std::function<void(void* pointer, size_t bytes)> release;
};

class MemoryBudget;

// Owns one block, aligned to 64 bytes or better and zero-filled; gives it back on destruction. The budget must outlive
// it.
class HostBlock {
 public:
  HostBlock() = default;
  HostBlock(HostBlock&& other) noexcept { *this = std::move(other); }
  HostBlock& operator=(HostBlock&& other) noexcept;
  ~HostBlock() { reset(); }

  void reset();
  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  template <typename T>
  std::span<T> as() const {
    return {reinterpret_cast<T*>(data_), size_ / sizeof(T)};
  }

 private:
  friend class MemoryBudget;
  MemoryBudget* budget_ = nullptr;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
  size_t counted_ = 0;
};

// Thread-safe.
class MemoryBudget {
 public:
  static constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

  // `option`: what raises the limit, for messages; a literal.
  explicit MemoryBudget(uint64_t limit = kUnlimited, AllocatorHook hook = {}, const char* option = "--memory");
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // kBudgetExceeded when the limit would be passed (naming `purpose`), kOutOfMemory when the system refuses.
  Result<HostBlock> allocate(uint64_t bytes, std::string_view purpose);
  // Accounting only, for memory that comes from elsewhere (device driver, resident mapped pages).
  Status reserve(uint64_t bytes, std::string_view purpose);
  void give_back(uint64_t bytes);

  uint64_t limit() const { return limit_; }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t peak() const { return peak_.load(std::memory_order_relaxed); }
  // Whether the system ever refused what the limit allowed.
  bool refused() const { return refused_.load(std::memory_order_relaxed); }
  // Starts a new high-water mark at the present use (per block figures); the whole job's peak is the caller's to keep.
  uint64_t take_peak();

 private:
  friend class HostBlock;
  void release(std::byte* data, size_t size, size_t counted);

  const uint64_t limit_;
  const AllocatorHook hook_;
  const char* const option_;
  std::atomic<uint64_t> used_{0};
  std::atomic<uint64_t> peak_{0};
  std::atomic<bool> refused_{false};
};

}  // namespace scrooge
