// SPDX-License-Identifier: Apache-2.0
// How shaders that find the range of a group share a workgroup among groups.
#pragma once

#include <cstdint>

#include "backends/vulkan/physical_device.h"

namespace scrooge::backend::vulkan {

// Invocations a group: some four elements each, and no more groups a workgroup than a row has.
inline uint32_t lanes_for(int64_t length, int64_t groups_of_row) {
  uint32_t lanes = 8;
  while (lanes < kInvocations && (4 * lanes < length || kInvocations / lanes > groups_of_row)) lanes *= 2;
  return lanes;
}

}  // namespace scrooge::backend::vulkan
