// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/vulkan_backend.h"

#include "backends/vulkan/self_test.h"
#include "backends/vulkan/vulkan_device.h"

namespace scrooge::backend::vulkan {

Result<std::vector<DeviceInfo>> list_devices() {
  SCROOGE_ASSIGN_OR_RETURN(const auto instance, Instance::open());
  std::vector<DeviceInfo> infos;
  for (const PhysicalDevice& device : instance->devices()) {
    infos.push_back(device_info(device));
    if (infos.back().unfit.empty()) infos.back().unfit = known_fault(device);
  }
  return infos;
}

Result<std::unique_ptr<Device>> create_device(int index, const DeviceOptions& options) {
  SCROOGE_ASSIGN_OR_RETURN(auto context, Context::open(index, options.cache_folder));
  auto device = std::make_unique<VulkanDevice>(std::move(context), options);
  SCROOGE_RETURN_IF_ERROR(device->init());
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace scrooge::backend::vulkan
