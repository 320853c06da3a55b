// SPDX-License-Identifier: Apache-2.0
#include "src/base/memory_budget.h"

#include <sys/mman.h>

#include <cstring>

#include "src/base/checked_size.h"

namespace scrooge {
namespace {
constexpr uint64_t kPage = 4096;
constexpr size_t kAlignment = 64;
}  // namespace

HostBlock& HostBlock::operator=(HostBlock&& other) noexcept {
  if (this != &other) {
    reset();
    budget_ = std::exchange(other.budget_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    counted_ = std::exchange(other.counted_, 0);
  }
  return *this;
}

void HostBlock::reset() {
  if (data_ != nullptr) budget_->release(data_, size_, counted_);
  budget_ = nullptr;
  data_ = nullptr;
  size_ = 0;
  counted_ = 0;
}

MemoryBudget::MemoryBudget(uint64_t limit, AllocatorHook hook, const char* option)
    : limit_(limit), hook_(std::move(hook)), option_(option) {}

Status MemoryBudget::reserve(uint64_t bytes, std::string_view purpose) {
  uint64_t used = used_.load(std::memory_order_relaxed);
  uint64_t wanted = 0;
  do {
    if (__builtin_add_overflow(used, bytes, &wanted) || wanted > limit_) {
      return error(StatusCode::kBudgetExceeded, "memory budget: ", purpose, " needs ", format_bytes(bytes), " beside ",
                   format_bytes(used), " in use, above the limit of ", format_bytes(limit_), "; raise ", option_);
    }
  } while (!used_.compare_exchange_weak(used, wanted, std::memory_order_relaxed));
  uint64_t peak = peak_.load(std::memory_order_relaxed);
  while (peak < wanted && !peak_.compare_exchange_weak(peak, wanted, std::memory_order_relaxed)) {
  }
  return {};
}

void MemoryBudget::give_back(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

uint64_t MemoryBudget::take_peak() { return peak_.exchange(used(), std::memory_order_relaxed); }

Result<HostBlock> MemoryBudget::allocate(uint64_t bytes, std::string_view purpose) {
  const CheckedSize counted = CheckedSize(bytes == 0 ? 1 : bytes).align_up(kPage);
  if (!counted.fits_in(std::numeric_limits<size_t>::max() / 2)) {
    return error(StatusCode::kOutOfMemory, purpose, ": ", bytes, " bytes is more than this machine can address");
  }
  SCROOGE_RETURN_IF_ERROR(reserve(counted.value(), purpose));
  const auto size = static_cast<size_t>(counted.value());
  void* data = nullptr;
  if (hook_.allocate) {
    data = hook_.allocate(size, kAlignment);
    if (data != nullptr) std::memset(data, 0, size);
  } else {
    data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) data = nullptr;
  }
  if (data == nullptr) {
    give_back(counted.value());
    refused_.store(true, std::memory_order_relaxed);
    return error(StatusCode::kOutOfMemory, purpose, ": the system refused ", format_bytes(counted.value()),
                 "; close other programs or give a smaller --memory");
  }
  HostBlock block;
  block.budget_ = this;
  block.data_ = static_cast<std::byte*>(data);
  block.size_ = static_cast<size_t>(bytes);
  block.counted_ = size;
  return block;
}

void MemoryBudget::release(std::byte* data, size_t /*size*/, size_t counted) {
  if (hook_.release) {
    hook_.release(data, counted);
  } else {
    ::munmap(data, counted);
  }
  give_back(counted);
}

}  // namespace scrooge
