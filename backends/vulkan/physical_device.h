// SPDX-License-Identifier: Apache-2.0
// What is known of a device before it is opened: limits, memory, what its arithmetic promises, and why it is unfit.
#pragma once

#include <volk.h>

#include <array>
#include <string>

#include "src/backend/device.h"

namespace scrooge::backend::vulkan {

// What every shader here may count on; a device with less is unfit.
inline constexpr uint32_t kInvocations = 256;          // of a workgroup
inline constexpr uint32_t kSharedBytes = 16384;        // of a workgroup
inline constexpr uint32_t kBindings = 8;               // storage buffers of a shader
inline constexpr uint32_t kPushBytes = 128;            // push constants
inline constexpr uint64_t kLargestRange = 1ull << 31;  // offsets inside a binding are 32 bits, of elements; some signed

struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  VkPhysicalDeviceLimits limits = {};
  VkPhysicalDeviceMemoryProperties memory = {};
  VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
  uint32_t vendor = 0, device = 0, driver_version = 0, api_version = 0;
  std::array<uint8_t, VK_UUID_SIZE> cache_uuid = {}, driver_uuid = {};
  std::string name, driver;
  std::string unfit;  // empty: fit

  uint32_t queue_family = 0;
  uint64_t timestamp_mask = 0;  // the bits of a timestamp that count; 0: there are none
  uint64_t largest_allocation = 0;
  uint64_t range = 0;  // of one binding: a multiple of the alignment of offsets

  bool memory_budget = false;       // VK_EXT_memory_budget
  bool portability_subset = false;  // must be enabled where it is present
  bool float_controls = false;      // the next three are only asked for with it
  bool round_to_even = false;
  bool keep_denormals = false;
  bool keep_non_finite = false;
  bool wide = false;     // shaders/product_wide.glsl is the faster way, and integers of 64 bits are there
  bool unified = false;  // buffers are memory of the host: written and read in place
};

// The longest binding of a storage buffer that is made use of.
uint64_t storage_range(const VkPhysicalDeviceLimits& limits);

// The largest; -1 for none.
int device_local_heap(const PhysicalDevice& device);

PhysicalDevice inspect(VkPhysicalDevice handle);
// Free memory is asked anew.
DeviceInfo device_info(const PhysicalDevice& device);

}  // namespace scrooge::backend::vulkan
