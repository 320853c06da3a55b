// SPDX-License-Identifier: Apache-2.0
// What a Device asks of the queue: dispatches, copies and fills, in the order of the calls. They are gathered in
// batches, one command buffer each, of which a few are on their way at a time. A batch is short enough for the
// watchdogs of telephones and for cancelling: work is cut by the speed that timestamps of earlier batches have shown.
// Nothing here keeps an address of a caller: who wants numbers on the host has the device write them to a HostRange,
// waits, and reads them, so that a call that failed, or was cancelled, leaves nothing to be written later.
#pragma once

#include <volk.h>

#include <array>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "backends/vulkan/memory.h"
#include "src/base/cancel.h"

namespace scrooge::backend::vulkan {

// A part of a buffer as a shader sees it. REQUIRES: offset as the device aligns them; bytes a multiple of 4, at most
// PhysicalDevice::range.
struct Binding {
  Memory* memory = nullptr;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

struct Grid {
  uint32_t x = 1, y = 1, z = 1;  // workgroups
};

// Memory that host and device both see, for what an op reads from or writes to the host. Stays as long as it is held,
// and until the work that uses it is done.
struct HostRange {
  std::shared_ptr<Memory> memory;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  std::byte* data() const { return memory->mapped() + offset; }
  Binding binding() const { return {memory.get(), offset, bytes}; }
};

// What the ranges of one Commands take together, beside those that an op holds while it asks for more.
inline constexpr uint64_t kHostBytes = uint64_t{16} << 20;

class Commands {
 public:
  // host_budget counts host_range(). cancel may be null. All must outlive it.
  Commands(Context& context, MemoryBudget& host_budget, CancelToken* cancel);
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;
  // Waits for what is under way; what was not submitted is dropped.
  ~Commands();
  Status init();

  // kernel over `grid` workgroups, cut where that would take long; each binding[i] is the shader's binding i. `work`
  // of the whole in units of Kernel::speed.
  Status dispatch(Kernel& kernel, std::span<const Binding> bindings, std::span<const std::byte> push, Grid grid,
                  double work);
  Status copy(Memory& from, uint64_t from_offset, Memory& to, uint64_t to_offset, uint64_t bytes);
  Status fill_zero(Memory& memory, uint64_t offset, uint64_t bytes);

  // Aligned for bindings. Content unspecified. Waits for earlier work rather than take more than kHostBytes, but for
  // what is held.
  Result<HostRange> host_range(uint64_t bytes);

  Status submit();
  // Waits for everything asked for so far.
  Status finish();
  // Waits for what used the memory last.
  Status wait_for(const Memory& memory);

  Status check_cancelled() { return scrooge::check_cancelled(cancel_); }

 private:
  static constexpr size_t kBatches = 3;
  static constexpr uint32_t kSets = 128;  // of descriptors in a batch
  static constexpr uint64_t kNoChunk = uint64_t{1} << 63;

  struct Batch {
    VkCommandBuffer commands = VK_NULL_HANDLE;
    VkFence fence = VK_NULL_HANDLE;
    VkDescriptorPool descriptors = VK_NULL_HANDLE;
    uint64_t serial = 0;
    uint32_t sets = 0;
    double seconds = 0;  // as foreseen
    std::vector<std::pair<Kernel*, double>> parts;
  };

  Batch& batch_of(uint64_t serial) { return batches_[serial % kBatches]; }
  Status open();
  Status retire(Batch& batch);
  Status wait_until(uint64_t serial);
  bool settled() const { return !recording_ && submitted_ == done_; }
  void measure(const Batch& batch);
  void barrier(VkPipelineStageFlags to_stage, VkAccessFlags to_access);
  Status added(Kernel* kernel, double seconds);
  Status failed(VkResult result, std::string_view call);

  Context& context_;
  MemoryBudget& host_budget_;
  CancelToken* const cancel_;
  const VolkDeviceTable& vk_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkQueryPool queries_ = VK_NULL_HANDLE;  // begin and end of each batch; none where timestamps are not to be had
  std::array<Batch, kBatches> batches_;
  uint64_t serial_ = 1;  // of the batch that is being recorded, or will be next
  bool recording_ = false;
  uint64_t submitted_ = 0;  // the last serial given to the queue
  uint64_t done_ = 0;       // the last serial that is done
  Status failure_;          // of a lost device: the answer to all that follows
  std::vector<std::shared_ptr<Memory>> host_chunks_;
  uint64_t host_used_ = kNoChunk;  // of the chunk at hand, the last
};

}  // namespace scrooge::backend::vulkan
