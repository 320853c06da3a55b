// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/vulkan_status.h"

namespace scrooge::backend::vulkan {
namespace {

std::string_view result_name(VkResult result) {
  switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "out of host memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "out of device memory";
    case VK_ERROR_INITIALIZATION_FAILED: return "initialization failed";
    case VK_ERROR_MEMORY_MAP_FAILED: return "memory map failed";
    case VK_ERROR_LAYER_NOT_PRESENT: return "a layer is not present";
    case VK_ERROR_EXTENSION_NOT_PRESENT: return "an extension is not present";
    case VK_ERROR_FEATURE_NOT_PRESENT: return "a feature is not present";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "incompatible driver";
    case VK_ERROR_TOO_MANY_OBJECTS: return "too many objects";
    case VK_ERROR_OUT_OF_POOL_MEMORY: return "out of pool memory";
    case VK_ERROR_INVALID_SHADER_NV: return "invalid shader";
    default: return "unknown error";
  }
}

}  // namespace

Status device_lost() {
  return error(StatusCode::kUnavailable,
               "vulkan: the device was lost; its driver was reset, or the work took longer than the system allows");
}

Status vulkan_error(VkResult result, std::string_view call) {
  switch (result) {
    case VK_ERROR_DEVICE_LOST: return device_lost();
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_TOO_MANY_OBJECTS:
    case VK_ERROR_MEMORY_MAP_FAILED:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
      return error(StatusCode::kOutOfMemory, "vulkan: ", call, ": ", result_name(result));
    case VK_ERROR_INCOMPATIBLE_DRIVER:
    case VK_ERROR_INITIALIZATION_FAILED:
    case VK_ERROR_LAYER_NOT_PRESENT:
      return error(StatusCode::kUnavailable, "vulkan: ", call, ": ", result_name(result));
    default: return error(StatusCode::kInternal, "vulkan: ", call, ": ", result_name(result), " (", int{result}, ")");
  }
}

}  // namespace scrooge::backend::vulkan
