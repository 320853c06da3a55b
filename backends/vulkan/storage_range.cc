// SPDX-License-Identifier: Apache-2.0
// Alone in its file: a test program that defines this function itself, to see small matrices cut as large ones are, has
// its own linked instead.
#include <algorithm>

#include "backends/vulkan/physical_device.h"

namespace scrooge::backend::vulkan {

uint64_t storage_range(const VkPhysicalDeviceLimits& limits) {
  return std::min<uint64_t>(limits.maxStorageBufferRange, kLargestRange);
}

}  // namespace scrooge::backend::vulkan
