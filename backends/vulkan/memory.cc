// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/memory.h"

#include "backends/vulkan/vulkan_status.h"
#include "src/base/checked_size.h"

namespace scrooge::backend::vulkan {
namespace {

constexpr uint64_t kGranularity = 256;

constexpr VkMemoryPropertyFlags kMapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

// The memory type of `allowed` that has all of `needed` in that heap before others, and most of `wished`; -1 for none.
int find_type(const PhysicalDevice& device, uint32_t allowed, VkMemoryPropertyFlags needed,
              VkMemoryPropertyFlags wished, int heap = -1) {
  int best = -1, best_score = -1;
  for (uint32_t i = 0; i < device.memory.memoryTypeCount; ++i) {
    const VkMemoryPropertyFlags flags = device.memory.memoryTypes[i].propertyFlags;
    if (!(allowed >> i & 1u) || (flags & needed) != needed) continue;
    const bool there = static_cast<int>(device.memory.memoryTypes[i].heapIndex) == heap;
    const int score = __builtin_popcount(flags & wished) + (there ? 32 : 0);
    if (score > best_score) best = static_cast<int>(i), best_score = score;
  }
  return best;
}

int type_for(const PhysicalDevice& device, Place place, uint32_t allowed) {
  if (place == Place::kHost) return find_type(device, allowed, kMapped, VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
  const int heap = device_local_heap(device);
  if (device.unified) {
    const int type = find_type(device, allowed, kMapped | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                               VK_MEMORY_PROPERTY_HOST_CACHED_BIT, heap);
    if (type >= 0) return type;
  }
  return find_type(device, allowed, 0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, heap);
}

}  // namespace

Result<std::unique_ptr<Memory>> Memory::allocate(Context& context, MemoryBudget& budget, Place place, uint64_t bytes,
                                                 std::string_view purpose) {
  const CheckedSize padded = CheckedSize(bytes < 1 ? 1 : bytes).align_up(kGranularity);
  const uint64_t size = padded.value_or(MemoryBudget::kUnlimited);
  SCROOGE_RETURN_IF_ERROR(budget.reserve(size, purpose));
  std::unique_ptr<Memory> memory(new Memory(context, budget, size));  // whose destructor gives back
  SCROOGE_RETURN_IF_ERROR(memory->init(place, purpose));
  return memory;
}

Status Memory::init(Place place, std::string_view purpose) {
  const PhysicalDevice& physical = context_.physical();
  if (size_ > physical.largest_allocation) {
    return error(StatusCode::kOutOfMemory, "vulkan: ", purpose, " takes ", size_, " bytes in one piece, ",
                 physical.name, " gives at most ", physical.largest_allocation,
                 "; lower the device's budget or use another device");
  }
  VkBufferCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = size_;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  const VolkDeviceTable& vk = context_.vk();
  SCROOGE_RETURN_IF_VK_ERROR("vkCreateBuffer", vk.vkCreateBuffer(context_.device(), &info, nullptr, &buffer_));
  VkMemoryRequirements needs;
  vk.vkGetBufferMemoryRequirements(context_.device(), buffer_, &needs);
  const int type = type_for(physical, place, needs.memoryTypeBits);
  if (type < 0) return error(StatusCode::kInternal, "vulkan: no type of memory for ", purpose);
  // Half, for what the driver and layers take for themselves.
  if (context_.allocations >= physical.limits.maxMemoryAllocationCount / 2) {
    return error(StatusCode::kOutOfMemory, "vulkan: ", purpose, ": ", physical.name, " allows only ",
                 physical.limits.maxMemoryAllocationCount, " blocks of memory");
  }
  VkMemoryAllocateInfo allocation{};
  allocation.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  allocation.allocationSize = needs.size;
  allocation.memoryTypeIndex = static_cast<uint32_t>(type);
  if (const VkResult result = vk.vkAllocateMemory(context_.device(), &allocation, nullptr, &memory_); result < 0) {
    if (result != VK_ERROR_OUT_OF_DEVICE_MEMORY && result != VK_ERROR_OUT_OF_HOST_MEMORY) {
      return vulkan_error(result, "vkAllocateMemory");
    }
    return error(StatusCode::kOutOfMemory, "vulkan: ", physical.name, " has no ", needs.size, " bytes left for ",
                 purpose, "; free its memory or lower the device's budget");
  }
  context_.allocations += 1;
  SCROOGE_RETURN_IF_VK_ERROR("vkBindBufferMemory", vk.vkBindBufferMemory(context_.device(), buffer_, memory_, 0));
  const bool mapped = (physical.memory.memoryTypes[type].propertyFlags & kMapped) == kMapped;
  if (!mapped || (place == Place::kDevice && !physical.unified)) return {};
  void* address = nullptr;
  SCROOGE_RETURN_IF_VK_ERROR("vkMapMemory", vk.vkMapMemory(context_.device(), memory_, 0, VK_WHOLE_SIZE, 0, &address));
  mapped_ = static_cast<std::byte*>(address);
  return {};
}

Memory::~Memory() {
  const VolkDeviceTable& vk = context_.vk();
  vk.vkDestroyBuffer(context_.device(), buffer_, nullptr);
  if (memory_ != VK_NULL_HANDLE) {
    vk.vkFreeMemory(context_.device(), memory_, nullptr);
    context_.allocations -= 1;
  }
  budget_.give_back(size_);
}

}  // namespace scrooge::backend::vulkan
