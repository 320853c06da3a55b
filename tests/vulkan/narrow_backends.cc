// SPDX-License-Identifier: Apache-2.0
// The Vulkan backend as cards with small bindings would have it, for the conformance suite: matrices are cut into
// windows, memory is not the host's, so that transfers are staged, and products are those of telephones or of cards.
#include "backends/vulkan/vulkan_backend.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/backend_list.h"

namespace scrooge::backend {
namespace {

template <uint64_t kRange, VkPhysicalDeviceType kType>
Result<std::unique_ptr<Device>> create(int index, const DeviceOptions& options) {
  SCROOGE_ASSIGN_OR_RETURN(auto context, vulkan::Context::open(index, {}));
  auto& physical = const_cast<vulkan::PhysicalDevice&>(context->physical());
  physical.range = kRange;
  physical.type = kType;
  physical.unified = physical.wide = false;
  auto device = std::make_unique<vulkan::VulkanDevice>(std::move(context), options);
  SCROOGE_RETURN_IF_ERROR(device->init());
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace

std::span<const Backend> extra_backends() {
  // Some rows of the suite's matrices at a time; and some tiles of its Gram matrices.
  static constexpr Backend kExtra[] = {
      {"vulkan-narrow", vulkan::list_devices, create<uint64_t{16} << 10, VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU>,
       vulkan::scratch_bytes},
      {"vulkan-tiles", vulkan::list_devices, create<uint64_t{160} << 10, VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU>,
       vulkan::scratch_bytes}};
  return kExtra;
}

}  // namespace scrooge::backend
