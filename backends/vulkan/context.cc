// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/context.h"

#include <map>

#include "backends/vulkan/self_test.h"
#include "backends/vulkan/vulkan_status.h"

namespace scrooge::backend::vulkan {
namespace {

struct Opened {
  std::mutex mutex;
  std::map<int, std::weak_ptr<Context>> contexts;
};

Opened& opened() {
  static Opened all;
  return all;
}

}  // namespace

Result<std::shared_ptr<Context>> Context::open(int index, const std::string& cache_folder) {
  Opened& all = opened();
  const std::lock_guard lock(all.mutex);
  std::weak_ptr<Context>& known = all.contexts[index];
  if (auto context = known.lock(); context != nullptr && !context->lost) return context;
  SCROOGE_ASSIGN_OR_RETURN(auto instance, Instance::open());
  const size_t count = instance->devices().size();
  if (static_cast<size_t>(index) >= count) {
    return error(StatusCode::kInvalidArgument, "device: vulkan:", index,
                 " does not exist; the last is vulkan:", count - 1);
  }
  const PhysicalDevice& physical = instance->devices()[static_cast<size_t>(index)];
  if (!physical.unfit.empty()) {
    return error(StatusCode::kUnavailable, "vulkan:", index, ", ", physical.name, ", is unfit: ", physical.unfit);
  }
  std::shared_ptr<Context> context(new Context(std::move(instance), physical));
  SCROOGE_RETURN_IF_ERROR(context->init(cache_folder));
  SCROOGE_RETURN_IF_ERROR(self_test(*context));
  known = context;
  return context;
}

Status Context::init(const std::string& cache_folder) {
  const float priority = 1;
  VkDeviceQueueCreateInfo queue{};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueFamilyIndex = physical_.queue_family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  std::vector<const char*> extensions;
  if (physical_.float_controls) extensions.push_back(VK_KHR_SHADER_FLOAT_CONTROLS_EXTENSION_NAME);
  if (physical_.portability_subset) extensions.push_back("VK_KHR_portability_subset");
  VkPhysicalDeviceFeatures features{};
  features.shaderInt64 = physical_.wide;
  VkDeviceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pEnabledFeatures = &features;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  SCROOGE_RETURN_IF_VK_ERROR("vkCreateDevice", vkCreateDevice(physical_.handle, &info, nullptr, &device_));
  volkLoadDeviceTable(&vk_, device_);
  vk_.vkGetDeviceQueue(device_, physical_.queue_family, 0, &queue_);
  kernels_ = std::make_unique<Kernels>(physical_, device_, vk_, cache_folder);
  return kernels_->init();
}

VkResult Context::submit(const VkSubmitInfo& info, VkFence fence) {
  const std::lock_guard lock(queue_mutex_);
  return vk_.vkQueueSubmit(queue_, 1, &info, fence);
}

Context::~Context() {
  if (device_ == VK_NULL_HANDLE) return;
  kernels_.reset();
  vk_.vkDestroyDevice(device_, nullptr);
}

}  // namespace scrooge::backend::vulkan
