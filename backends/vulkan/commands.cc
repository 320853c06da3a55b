// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/commands.h"

#include <algorithm>
#include <cmath>

#include "backends/vulkan/vulkan_status.h"

namespace scrooge::backend::vulkan {
namespace {

constexpr double kPieceSeconds = 0.025;  // of one dispatch
constexpr double kBatchSeconds = 0.05;
constexpr double kEagerSeconds = 0.001;      // enough to give to a queue that has nothing to do
constexpr double kCopyBytesPerSecond = 2e9;  // of the slowest memory we expect
constexpr uint64_t kWaitNanoseconds = 1000000000;
constexpr int kPatience = 60;  // of those, after which the device counts as lost
constexpr VkPipelineStageFlags kWork = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr VkAccessFlags kWorkAccess =
    VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;

uint32_t* longest_axis(Grid& grid) {
  uint32_t* axis = &grid.x;
  if (grid.y > *axis) axis = &grid.y;
  if (grid.z > *axis) axis = &grid.z;
  return axis;
}

}  // namespace

Commands::Commands(Context& context, MemoryBudget& host_budget, CancelToken* cancel)
    : context_(context), host_budget_(host_budget), cancel_(cancel), vk_(context.vk()) {}

Status Commands::init() {
  const VkDevice device = context_.device();
  VkCommandPoolCreateInfo pool{};
  pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  pool.queueFamilyIndex = context_.physical().queue_family;
  SCROOGE_RETURN_IF_VK_ERROR("vkCreateCommandPool", vk_.vkCreateCommandPool(device, &pool, nullptr, &pool_));
  if (context_.physical().timestamp_mask != 0) {
    VkQueryPoolCreateInfo queries{};
    queries.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
    queries.queryCount = 2 * kBatches;
    SCROOGE_RETURN_IF_VK_ERROR("vkCreateQueryPool", vk_.vkCreateQueryPool(device, &queries, nullptr, &queries_));
  }
  for (Batch& batch : batches_) {
    VkCommandBufferAllocateInfo commands{};
    commands.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    commands.commandPool = pool_;
    commands.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    commands.commandBufferCount = 1;
    SCROOGE_RETURN_IF_VK_ERROR("vkAllocateCommandBuffers",
                               vk_.vkAllocateCommandBuffers(device, &commands, &batch.commands));
    VkFenceCreateInfo fence{};
    fence.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    SCROOGE_RETURN_IF_VK_ERROR("vkCreateFence", vk_.vkCreateFence(device, &fence, nullptr, &batch.fence));
    const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, kSets * kBindings};
    VkDescriptorPoolCreateInfo descriptors{};
    descriptors.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
    descriptors.maxSets = kSets;
    descriptors.poolSizeCount = 1;
    descriptors.pPoolSizes = &size;
    SCROOGE_RETURN_IF_VK_ERROR("vkCreateDescriptorPool",
                               vk_.vkCreateDescriptorPool(device, &descriptors, nullptr, &batch.descriptors));
  }
  return {};
}

Commands::~Commands() {
  (void)wait_until(submitted_);
  const VkDevice device = context_.device();
  for (Batch& batch : batches_) {
    vk_.vkDestroyDescriptorPool(device, batch.descriptors, nullptr);
    vk_.vkDestroyFence(device, batch.fence, nullptr);
  }
  vk_.vkDestroyQueryPool(device, queries_, nullptr);
  vk_.vkDestroyCommandPool(device, pool_, nullptr);
}

Status Commands::failed(VkResult result, std::string_view call) {
  Status status = vulkan_error(result, call);
  if (result == VK_ERROR_DEVICE_LOST) {
    context_.lost = true;
    failure_ = status;
  }
  return status;
}

Status Commands::open() {
  if (!failure_.ok()) return failure_;
  if (recording_) return {};
  if (context_.lost) return failure_ = device_lost();  // another Device has seen it
  if (serial_ > kBatches) SCROOGE_RETURN_IF_ERROR(wait_until(serial_ - kBatches));
  Batch& batch = batch_of(serial_);
  batch.serial = serial_;
  batch.sets = 0;
  batch.seconds = 0;
  batch.parts.clear();
  if (const VkResult result = vk_.vkResetDescriptorPool(context_.device(), batch.descriptors, 0); result < 0) {
    return failed(result, "vkResetDescriptorPool");
  }
  VkCommandBufferBeginInfo begin{};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  if (const VkResult result = vk_.vkBeginCommandBuffer(batch.commands, &begin); result < 0) {
    return failed(result, "vkBeginCommandBuffer");
  }
  recording_ = true;
  if (queries_ != VK_NULL_HANDLE) {
    const auto first = static_cast<uint32_t>(serial_ % kBatches * 2);
    vk_.vkCmdResetQueryPool(batch.commands, queries_, first, 2);
    vk_.vkCmdWriteTimestamp(batch.commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_, first);
  }
  return {};
}

// Everything before, of this batch and those before it, is done and seen by what follows. Dispatches of one op might
// overlap, but then each is large; that ops which do not depend on one another might overlap is not made use of.
void Commands::barrier(VkPipelineStageFlags to_stage, VkAccessFlags to_access) {
  VkMemoryBarrier memory{};
  memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  memory.srcAccessMask = kWorkAccess;
  memory.dstAccessMask = to_access;
  vk_.vkCmdPipelineBarrier(batch_of(serial_).commands, kWork, to_stage, 0, 1, &memory, 0, nullptr, 0, nullptr);
}

Status Commands::dispatch(Kernel& kernel, std::span<const Binding> bindings, std::span<const std::byte> push, Grid grid,
                          double work) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return {};
  const uint32_t axis_groups = *longest_axis(grid);
  const double group_work = work / axis_groups;
  for (uint32_t begin = 0; begin < axis_groups;) {
    SCROOGE_RETURN_IF_ERROR(check_cancelled());
    SCROOGE_RETURN_IF_ERROR(open());
    const double group_seconds = group_work / kernel.speed.load(std::memory_order_relaxed);
    const double fit = std::max(1.0, kPieceSeconds / std::max(group_seconds, 1e-12));
    const uint32_t count = fit >= axis_groups - begin ? axis_groups - begin : static_cast<uint32_t>(fit);

    Batch& batch = batch_of(serial_);
    const VkDescriptorSetLayout layout = context_.kernels().set_layout();
    VkDescriptorSetAllocateInfo allocate{};
    allocate.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    allocate.descriptorPool = batch.descriptors;
    allocate.descriptorSetCount = 1;
    allocate.pSetLayouts = &layout;
    VkDescriptorSet set = VK_NULL_HANDLE;
    if (const VkResult result = vk_.vkAllocateDescriptorSets(context_.device(), &allocate, &set); result < 0) {
      return failed(result, "vkAllocateDescriptorSets");
    }
    batch.sets += 1;
    std::array<VkDescriptorBufferInfo, kBindings> buffers = {};
    for (size_t i = 0; i < bindings.size(); ++i) {
      buffers[i] = {bindings[i].memory->handle(), bindings[i].offset, bindings[i].bytes};
      bindings[i].memory->last_use = serial_;
    }
    VkWriteDescriptorSet write{};
    write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    write.dstSet = set;
    write.descriptorCount = static_cast<uint32_t>(bindings.size());
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = buffers.data();
    vk_.vkUpdateDescriptorSets(context_.device(), 1, &write, 0, nullptr);

    barrier(kWork, kWorkAccess);
    const VkPipelineLayout pipeline_layout = context_.kernels().layout();
    vk_.vkCmdBindPipeline(batch.commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
    vk_.vkCmdBindDescriptorSets(batch.commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline_layout, 0, 1, &set, 0,
                                nullptr);
    if (!push.empty()) {
      vk_.vkCmdPushConstants(batch.commands, pipeline_layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                             static_cast<uint32_t>(push.size()), push.data());
    }
    Grid base{0, 0, 0}, part = grid;
    *(axis_groups == grid.x ? &base.x : axis_groups == grid.y ? &base.y : &base.z) = begin;
    *longest_axis(part) = count;
    if (begin == 0) {  // which synchronization validation knows, unlike the other
      vk_.vkCmdDispatch(batch.commands, part.x, part.y, part.z);
    } else {
      vk_.vkCmdDispatchBase(batch.commands, base.x, base.y, base.z, part.x, part.y, part.z);
    }
    SCROOGE_RETURN_IF_ERROR(added(&kernel, group_seconds * count));
    begin += count;
  }
  return {};
}

Status Commands::added(Kernel* kernel, double seconds) {
  Batch& batch = batch_of(serial_);
  batch.seconds += seconds;
  if (kernel != nullptr) {
    if (!batch.parts.empty() && batch.parts.back().first == kernel) {
      batch.parts.back().second += seconds;
    } else {
      batch.parts.emplace_back(kernel, seconds);
    }
  }
  const bool idle = submitted_ == done_;
  const bool full = batch.sets == kSets || batch.seconds >= kBatchSeconds;
  return full || (idle && batch.seconds >= kEagerSeconds) ? submit() : Status();
}

Status Commands::copy(Memory& from, uint64_t from_offset, Memory& to, uint64_t to_offset, uint64_t bytes) {
  constexpr auto kPiece = static_cast<uint64_t>(kCopyBytesPerSecond * kPieceSeconds);
  for (uint64_t begin = 0; begin < bytes; begin += kPiece) {
    SCROOGE_RETURN_IF_ERROR(check_cancelled());
    SCROOGE_RETURN_IF_ERROR(open());
    const uint64_t length = std::min(kPiece, bytes - begin);
    from.last_use = to.last_use = serial_;
    barrier(kWork, kWorkAccess);
    const VkBufferCopy region{from_offset + begin, to_offset + begin, length};
    vk_.vkCmdCopyBuffer(batch_of(serial_).commands, from.handle(), to.handle(), 1, &region);
    SCROOGE_RETURN_IF_ERROR(added(nullptr, static_cast<double>(length) / kCopyBytesPerSecond));
  }
  return {};
}

Status Commands::fill_zero(Memory& memory, uint64_t offset, uint64_t bytes) {
  // The command fills words; the bytes before the first and after the last are copied.
  const uint64_t first = std::min((offset + 3) / 4 * 4, offset + bytes);
  const uint64_t last = std::max((offset + bytes) / 4 * 4, first);
  for (const auto& [begin, end] : {std::pair{offset, first}, {last, offset + bytes}}) {
    if (begin == end) continue;
    SCROOGE_ASSIGN_OR_RETURN(const HostRange zeros, host_range(4));
    std::fill_n(zeros.data(), 4, std::byte{0});
    SCROOGE_RETURN_IF_ERROR(copy(*zeros.memory, zeros.offset, memory, begin, end - begin));
  }
  if (first == last) return {};
  SCROOGE_RETURN_IF_ERROR(check_cancelled());
  SCROOGE_RETURN_IF_ERROR(open());
  memory.last_use = serial_;
  barrier(kWork, kWorkAccess);
  vk_.vkCmdFillBuffer(batch_of(serial_).commands, memory.handle(), first, last - first, 0);
  return added(nullptr, static_cast<double>(last - first) / (10 * kCopyBytesPerSecond));
}

Status Commands::submit() {
  if (!recording_) return failure_;
  Batch& batch = batch_of(serial_);
  if (queries_ != VK_NULL_HANDLE) {
    const auto second = static_cast<uint32_t>(serial_ % kBatches * 2 + 1);
    vk_.vkCmdWriteTimestamp(batch.commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_, second);
  }
  barrier(VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT);
  recording_ = false;
  if (const VkResult result = vk_.vkEndCommandBuffer(batch.commands); result < 0) {
    return failed(result, "vkEndCommandBuffer");
  }
  VkSubmitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.commandBufferCount = 1;
  info.pCommandBuffers = &batch.commands;
  if (const VkResult result = context_.submit(info, batch.fence); result < 0) return failed(result, "vkQueueSubmit");
  submitted_ = serial_++;
  return {};
}

Status Commands::wait_until(uint64_t serial) {
  while (done_ < std::min(serial, submitted_)) SCROOGE_RETURN_IF_ERROR(retire(batch_of(done_ + 1)));
  return failure_;
}

Status Commands::retire(Batch& batch) {
  VkResult result = VK_TIMEOUT;
  for (int waited = 0; result == VK_TIMEOUT && waited < kPatience; ++waited) {
    if (context_.lost) break;
    result = vk_.vkWaitForFences(context_.device(), 1, &batch.fence, VK_TRUE, kWaitNanoseconds);
  }
  done_ = batch.serial;
  if (result == VK_TIMEOUT) result = VK_ERROR_DEVICE_LOST;
  if (result >= 0) result = vk_.vkResetFences(context_.device(), 1, &batch.fence);
  if (result < 0) return failed(result, "vkWaitForFences");
  measure(batch);
  return {};
}

// What was foreseen and what it took tell how fast each kernel of the batch is, by its share of it.
void Commands::measure(const Batch& batch) {
  if (queries_ == VK_NULL_HANDLE || batch.seconds <= 0) return;
  std::array<uint64_t, 2> times = {};
  const auto first = static_cast<uint32_t>(batch.serial % kBatches * 2);
  if (vk_.vkGetQueryPoolResults(context_.device(), queries_, first, 2, sizeof(times), times.data(), sizeof(uint64_t),
                                VK_QUERY_RESULT_64_BIT) != VK_SUCCESS) {
    return;
  }
  const uint64_t ticks = (times[1] - times[0]) & context_.physical().timestamp_mask;
  if (ticks == 0) return;  // timestamps that do not count show nothing
  const double seconds = static_cast<double>(ticks) * context_.physical().limits.timestampPeriod * 1e-9;
  const double ratio = std::clamp(batch.seconds / std::max(seconds, 1e-6), 1.0 / 8, 4.0);
  for (const auto& [kernel, part] : batch.parts) {
    const double speed = kernel->speed.load(std::memory_order_relaxed) * std::pow(ratio, part / batch.seconds);
    kernel->speed.store(std::clamp(speed, 1e6, 1e15), std::memory_order_relaxed);
  }
}

Status Commands::finish() {
  SCROOGE_RETURN_IF_ERROR(submit());
  return wait_until(submitted_);
}

Status Commands::wait_for(const Memory& memory) {
  if (memory.last_use <= done_) return failure_;
  if (memory.last_use == serial_ && recording_) SCROOGE_RETURN_IF_ERROR(submit());
  return wait_until(memory.last_use);
}

Result<HostRange> Commands::host_range(uint64_t bytes) {
  constexpr uint64_t kChunk = uint64_t{256} << 10;
  const uint64_t alignment = std::max<uint64_t>(context_.physical().limits.minStorageBufferOffsetAlignment, 16);
  const uint64_t size = (std::max<uint64_t>(bytes, 1) + 3) / 4 * 4;
  const auto take = [&](uint64_t offset) {
    host_used_ = (offset + size + alignment - 1) / alignment * alignment;
    return HostRange{host_chunks_.back(), offset, size};
  };
  if (host_used_ < kNoChunk && host_used_ + size <= host_chunks_.back()->size()) return take(host_used_);
  host_used_ = kNoChunk;
  const uint64_t chunk_size = std::max(kChunk, size);
  for (;;) {
    // The first one that nobody holds and nothing uses becomes the one at hand; too small ones are given back.
    uint64_t taken = 0;
    for (size_t i = 0; i < host_chunks_.size();) {
      if (host_chunks_[i].use_count() > 1 || host_chunks_[i]->last_use > done_) {
        taken += host_chunks_[i++]->size();
      } else if (host_chunks_[i]->size() < size) {
        host_chunks_.erase(host_chunks_.begin() + static_cast<ptrdiff_t>(i));
      } else {
        std::swap(host_chunks_[i], host_chunks_.back());
        return take(0);
      }
    }
    if (taken + chunk_size <= kHostBytes || settled()) break;
    if (submitted_ == done_) SCROOGE_RETURN_IF_ERROR(submit());
    SCROOGE_RETURN_IF_ERROR(wait_until(done_ + 1));
  }
  SCROOGE_ASSIGN_OR_RETURN(std::shared_ptr<Memory> chunk,
                           Memory::allocate(context_, host_budget_, Place::kHost, chunk_size, "transfers"));
  host_chunks_.push_back(std::move(chunk));
  return take(0);
}

}  // namespace scrooge::backend::vulkan
