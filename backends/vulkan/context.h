// SPDX-License-Identifier: Apache-2.0
// One opened VkDevice with its queue and pipelines. All Devices of a process on the same physical device share it;
// it goes with the last of them, or is replaced by a new one after the device was lost.
#pragma once

#include <volk.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "backends/vulkan/instance.h"
#include "backends/vulkan/kernel.h"

namespace scrooge::backend::vulkan {

class Context {
 public:
  // kUnavailable without loader, driver or a fit device of that index; kInvalidArgument for an index beyond the list.
  // cache_folder of the first to open it counts, see PipelineFile. Thread-safe.
  static Result<std::shared_ptr<Context>> open(int index, const std::string& cache_folder);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  const PhysicalDevice& physical() const { return physical_; }
  VkDevice device() const { return device_; }
  const VolkDeviceTable& vk() const { return vk_; }
  Kernels& kernels() { return *kernels_; }

  // Thread-safe: there is one queue.
  VkResult submit(const VkSubmitInfo& info, VkFence fence);

  // Blocks of memory there are, of which a driver may allow as few as 4096.
  std::atomic<uint32_t> allocations{0};
  // Set once, by whoever sees VK_ERROR_DEVICE_LOST.
  std::atomic<bool> lost{false};

 private:
  Context(std::shared_ptr<const Instance> instance, const PhysicalDevice& physical)
      : instance_(std::move(instance)), physical_(physical) {}
  Status init(const std::string& cache_folder);

  const std::shared_ptr<const Instance> instance_;
  const PhysicalDevice& physical_;
  VkDevice device_ = VK_NULL_HANDLE;
  VolkDeviceTable vk_ = {};
  VkQueue queue_ = VK_NULL_HANDLE;
  std::mutex queue_mutex_;
  std::unique_ptr<Kernels> kernels_;
};

}  // namespace scrooge::backend::vulkan
