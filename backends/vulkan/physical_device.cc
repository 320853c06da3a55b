// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/physical_device.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "src/base/text.h"

namespace scrooge::backend::vulkan {
namespace {

using Extensions = std::vector<VkExtensionProperties>;

Extensions extensions_of(VkPhysicalDevice handle) {
  uint32_t count = 0;
  if (vkEnumerateDeviceExtensionProperties(handle, nullptr, &count, nullptr) < 0) return {};
  Extensions list(count);
  if (vkEnumerateDeviceExtensionProperties(handle, nullptr, &count, list.data()) < 0) return {};
  list.resize(count);
  return list;
}

bool has(const Extensions& list, const char* name) {
  return std::any_of(list.begin(), list.end(),
                     [&](const VkExtensionProperties& one) { return std::strcmp(one.extensionName, name) == 0; });
}

bool find_queue(PhysicalDevice& device) {
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device.handle, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device.handle, &count, families.data());
  for (uint32_t i = 0; i < count; ++i) {
    if (families[i].queueCount == 0 || !(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)) continue;
    device.queue_family = i;
    const uint32_t bits = device.limits.timestampPeriod > 0 ? families[i].timestampValidBits : 0;
    device.timestamp_mask = bits == 0 ? 0 : ~uint64_t{0} >> (64 - std::min(bits, 64u));
    return true;
  }
  return false;
}

bool has_unified_memory(const PhysicalDevice& device) {
  if (device.type != VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU && device.type != VK_PHYSICAL_DEVICE_TYPE_CPU) return false;
  constexpr VkMemoryPropertyFlags kWanted =
      VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  const auto heap = static_cast<uint32_t>(device_local_heap(device));  // not a small window to the memory of a card
  const auto* const types = device.memory.memoryTypes;
  return std::any_of(types, types + device.memory.memoryTypeCount, [&](const VkMemoryType& one) {
    return (one.propertyFlags & kWanted) == kWanted && one.heapIndex == heap;
  });
}

std::string why_unfit(const PhysicalDevice& device, bool has_queue) {
  const VkPhysicalDeviceLimits& limits = device.limits;
  if (device.api_version < VK_API_VERSION_1_1) {
    return concat("Vulkan ", VK_API_VERSION_MAJOR(device.api_version), ".", VK_API_VERSION_MINOR(device.api_version),
                  ", 1.1 is needed; a newer driver may have it");
  }
  if (!has_queue) return "no queue that computes";
  const auto least = [](std::string_view what, uint64_t is, uint64_t needed) {
    return is < needed ? concat(is, " ", what, ", ", needed, " are needed") : std::string();
  };
  for (const std::string& reason :
       {least("invocations a workgroup", limits.maxComputeWorkGroupInvocations, kInvocations),
        least("invocations across a workgroup", limits.maxComputeWorkGroupSize[0], kInvocations),
        least("bytes of shared memory", limits.maxComputeSharedMemorySize, kSharedBytes),
        least("storage buffers a shader", limits.maxPerStageDescriptorStorageBuffers, kBindings),
        least("bytes of push constants", limits.maxPushConstantsSize, kPushBytes)}) {
    if (!reason.empty()) return reason;
  }
  return {};
}

std::string features_of(const PhysicalDevice& device) {
  std::string features =
      concat("vulkan", VK_API_VERSION_MAJOR(device.api_version), ".", VK_API_VERSION_MINOR(device.api_version));
  if (device.round_to_even) features += ",round-to-even";
  if (device.keep_denormals) features += ",denormals";
  if (device.unified) features += ",unified";
  if (device.memory_budget) features += ",memory-budget";
  if (device.timestamp_mask != 0) features += ",timestamps";
  return features;
}

}  // namespace

int device_local_heap(const PhysicalDevice& device) {
  int best = -1;
  for (uint32_t i = 0; i < device.memory.memoryHeapCount; ++i) {
    const VkMemoryHeap& heap = device.memory.memoryHeaps[i];
    if (!(heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)) continue;
    if (best < 0 || heap.size > device.memory.memoryHeaps[best].size) best = static_cast<int>(i);
  }
  return best;
}

PhysicalDevice inspect(VkPhysicalDevice handle) {
  PhysicalDevice device;
  device.handle = handle;
  VkPhysicalDeviceProperties basic;
  vkGetPhysicalDeviceProperties(handle, &basic);
  device.limits = basic.limits;
  device.type = basic.deviceType;
  device.vendor = basic.vendorID;
  device.device = basic.deviceID;
  device.driver_version = basic.driverVersion;
  device.api_version = basic.apiVersion;
  device.name = basic.deviceName;
  std::copy(std::begin(basic.pipelineCacheUUID), std::end(basic.pipelineCacheUUID), device.cache_uuid.begin());
  vkGetPhysicalDeviceMemoryProperties(handle, &device.memory);
  const bool has_queue = find_queue(device);
  device.unfit = why_unfit(device, has_queue);
  if (device.api_version < VK_API_VERSION_1_1) return device;

  const Extensions extensions = extensions_of(handle);
  device.memory_budget = has(extensions, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  device.portability_subset = has(extensions, "VK_KHR_portability_subset");
  device.float_controls = has(extensions, VK_KHR_SHADER_FLOAT_CONTROLS_EXTENSION_NAME);
  const bool names_driver = has(extensions, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);

  VkPhysicalDeviceProperties2 all{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, nullptr, {}};
  const auto chain = [&all](auto& part) {
    part.pNext = all.pNext;
    all.pNext = &part;
  };
  VkPhysicalDeviceMaintenance3Properties maintenance{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES,
                                                     nullptr, 0, 0};
  VkPhysicalDeviceIDProperties ids{};
  ids.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
  VkPhysicalDeviceFloatControlsProperties floats{};
  floats.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES;
  VkPhysicalDeviceDriverProperties driver{};
  driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
  chain(maintenance);
  chain(ids);
  if (device.float_controls) chain(floats);
  if (names_driver) chain(driver);
  vkGetPhysicalDeviceProperties2(handle, &all);

  device.largest_allocation = maintenance.maxMemoryAllocationSize;
  std::copy(std::begin(ids.driverUUID), std::end(ids.driverUUID), device.driver_uuid.begin());
  VkPhysicalDeviceFeatures features;
  vkGetPhysicalDeviceFeatures(handle, &features);
  device.wide = names_driver && driver.driverID == VK_DRIVER_ID_MESA_LLVMPIPE && features.shaderInt64 == VK_TRUE;
  device.round_to_even = floats.shaderRoundingModeRTEFloat32 == VK_TRUE;
  device.keep_denormals = floats.shaderDenormPreserveFloat32 == VK_TRUE;
  device.keep_non_finite = floats.shaderSignedZeroInfNanPreserveFloat32 == VK_TRUE;
  device.driver = names_driver && driver.driverInfo[0] != '\0' ? concat(driver.driverName, " ", driver.driverInfo)
                  : names_driver                               ? std::string(driver.driverName)
                                                               : concat("driver ", device.driver_version);
  device.unified = has_unified_memory(device);
  const uint64_t alignment = std::max<uint64_t>(device.limits.minStorageBufferOffsetAlignment, 4);
  device.range = storage_range(device.limits) / alignment * alignment;
  return device;
}

DeviceInfo device_info(const PhysicalDevice& device) {
  DeviceInfo info;
  info.backend = "vulkan";
  info.name = device.name;
  info.driver = device.driver;
  info.software = device.type == VK_PHYSICAL_DEVICE_TYPE_CPU;
  info.integrated = device.type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
  info.independent_rows = true;  // sums over inputs or keys run in one order, whatever rows a call has
  info.unfit = device.unfit;
  info.features = features_of(device);
  const int heap = device_local_heap(device);
  if (heap < 0) return info;
  info.total_bytes = info.free_bytes = device.memory.memoryHeaps[heap].size;
  if (device.memory_budget) {
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{};
    budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
    VkPhysicalDeviceMemoryProperties2 memory{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, &budget, {}};
    vkGetPhysicalDeviceMemoryProperties2(device.handle, &memory);
    const uint64_t limit = std::min(budget.heapBudget[heap], info.total_bytes);
    info.free_bytes = limit - std::min(limit, budget.heapUsage[heap]);
  }
  return info;
}

}  // namespace scrooge::backend::vulkan
