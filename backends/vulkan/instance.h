// SPDX-License-Identifier: Apache-2.0
// The loader, one VkInstance for the process and what it lists. Shared by all who need it, gone with the last of them.
#pragma once

#include <volk.h>

#include <memory>
#include <vector>

#include "backends/vulkan/physical_device.h"
#include "src/base/result.h"

namespace scrooge::backend::vulkan {

class Instance {
 public:
  // kUnavailable without a loader or a driver. Thread-safe.
  static Result<std::shared_ptr<const Instance>> open();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();

  // In the loader's order, which is what indices mean.
  const std::vector<PhysicalDevice>& devices() const { return devices_; }

 private:
  explicit Instance(VkInstance handle) : handle_(handle) {}
  Status list();

  VkInstance handle_;
  std::vector<PhysicalDevice> devices_;
};

}  // namespace scrooge::backend::vulkan
