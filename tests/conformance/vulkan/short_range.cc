// SPDX-License-Identifier: Apache-2.0
// Bindings so short that the Gram matrices of the suites are cut as those of real layers are.
#include "backends/vulkan/physical_device.h"

namespace scrooge::backend::vulkan {

// 64 rows of the widest, the least that a product reads at once.
uint64_t storage_range(const VkPhysicalDeviceLimits&) { return 160 << 10; }

}  // namespace scrooge::backend::vulkan
