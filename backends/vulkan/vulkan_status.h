// SPDX-License-Identifier: Apache-2.0
// Vulkan's results as Status, in one place.
#pragma once

#include <volk.h>

#include <string_view>

#include "src/base/status.h"

namespace scrooge::backend::vulkan {

// REQUIRES: result is an error. Lost devices are kUnavailable, memory is kOutOfMemory, the rest kInternal.
Status vulkan_error(VkResult result, std::string_view call);
// The status of a device after VK_ERROR_DEVICE_LOST.
Status device_lost();

#define SCROOGE_RETURN_IF_VK_ERROR(name, call)                           \
  do {                                                                   \
    if (const VkResult vk_result_ = (call); vk_result_ < 0)              \
      return ::scrooge::backend::vulkan::vulkan_error(vk_result_, name); \
  } while (false)

}  // namespace scrooge::backend::vulkan
