// SPDX-License-Identifier: Apache-2.0
// A VkBuffer with memory of its own, counted in the budget.
#pragma once

#include <volk.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "backends/vulkan/context.h"
#include "src/base/memory_budget.h"

namespace scrooge::backend::vulkan {

enum class Place : int32_t {
  kDevice = 0,  // where shaders are fastest; mapped only on a unified device
  kHost = 1,    // mapped, coherent
};

class Memory {
 public:
  // Of `bytes` rounded up, so that every word and every copy of its end is inside. Content unspecified. The budget and
  // the context must outlive it.
  static Result<std::unique_ptr<Memory>> allocate(Context& context, MemoryBudget& budget, Place place, uint64_t bytes,
                                                  std::string_view purpose);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  // REQUIRES: no work that uses it is under way.
  ~Memory();

  VkBuffer handle() const { return buffer_; }
  uint64_t size() const { return size_; }
  std::byte* mapped() const { return mapped_; }  // null where the host does not see it

  // The batch of commands that used it last, see commands.h.
  uint64_t last_use = 0;

 private:
  Memory(Context& context, MemoryBudget& budget, uint64_t size) : context_(context), budget_(budget), size_(size) {}
  Status init(Place place, std::string_view purpose);

  Context& context_;
  MemoryBudget& budget_;
  const uint64_t size_;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  std::byte* mapped_ = nullptr;
};

}  // namespace scrooge::backend::vulkan
