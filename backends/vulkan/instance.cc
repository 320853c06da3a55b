// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/instance.h"

#include <cstring>
#include <mutex>

#include "backends/vulkan/vulkan_status.h"

namespace scrooge::backend::vulkan {
namespace {

struct Shared {
  std::mutex mutex;
  bool loaded = false;
  std::weak_ptr<const Instance> instance;
};

Shared& shared() {
  static Shared instance;
  return instance;
}

// Drivers that are not wholly conformant, MoltenVK for one, are listed only on demand.
bool lists_portability() {
  constexpr const char* kName = "VK_KHR_portability_enumeration";
  uint32_t count = 0;
  if (vkEnumerateInstanceExtensionProperties(nullptr, &count, nullptr) < 0) return false;
  std::vector<VkExtensionProperties> list(count);
  if (vkEnumerateInstanceExtensionProperties(nullptr, &count, list.data()) < 0) return false;
  for (uint32_t i = 0; i < count; ++i) {
    if (std::strcmp(list[i].extensionName, kName) == 0) return true;
  }
  return false;
}

Result<VkInstance> create_instance() {
  if (vkEnumerateInstanceVersion == nullptr) {
    return error(StatusCode::kUnavailable, "vulkan: the loader of this system knows Vulkan 1.0 only, 1.1 is needed");
  }
  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = application.pEngineName = "scrooge";
  application.apiVersion = VK_API_VERSION_1_1;
  VkInstanceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  const char* const extension = "VK_KHR_portability_enumeration";
  if (lists_portability()) {
    info.flags = VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &extension;
  }
  VkInstance instance = VK_NULL_HANDLE;
  const VkResult result = vkCreateInstance(&info, nullptr, &instance);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
    return error(StatusCode::kUnavailable, "vulkan: no driver on this system that the Vulkan loader knows; install ",
                 "that of the GPU");
  }
  SCROOGE_RETURN_IF_VK_ERROR("vkCreateInstance", result);
  return instance;
}

}  // namespace

Result<std::shared_ptr<const Instance>> Instance::open() {
  Shared& one = shared();
  std::unique_lock lock(one.mutex);
  if (auto instance = one.instance.lock()) return instance;
  if (!one.loaded && volkInitialize() != VK_SUCCESS) {
    return error(StatusCode::kUnavailable,
                 "vulkan: no Vulkan loader on this system; its package is called libvulkan1 or vulkan-icd-loader");
  }
  one.loaded = true;
  SCROOGE_ASSIGN_OR_RETURN(const VkInstance handle, create_instance());
  volkLoadInstanceOnly(handle);
  std::shared_ptr<Instance> instance(new Instance(handle));
  if (Status status = instance->list(); !status.ok()) {
    lock.unlock();  // which the destructor takes
    return status;
  }
  one.instance = instance;
  return std::shared_ptr<const Instance>(std::move(instance));
}

Status Instance::list() {
  uint32_t count = 0;
  SCROOGE_RETURN_IF_VK_ERROR("vkEnumeratePhysicalDevices", vkEnumeratePhysicalDevices(handle_, &count, nullptr));
  std::vector<VkPhysicalDevice> handles(count);
  SCROOGE_RETURN_IF_VK_ERROR("vkEnumeratePhysicalDevices", vkEnumeratePhysicalDevices(handle_, &count, handles.data()));
  handles.resize(count);
  for (const VkPhysicalDevice handle : handles) devices_.push_back(inspect(handle));
  if (!devices_.empty()) return {};
  return error(StatusCode::kUnavailable, "vulkan: no device; the loader found no driver for one");
}

Instance::~Instance() {
  const std::lock_guard lock(shared().mutex);  // the next one loads volk's functions anew
  vkDestroyInstance(handle_, nullptr);
}

}  // namespace scrooge::backend::vulkan
