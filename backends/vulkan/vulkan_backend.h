// SPDX-License-Identifier: Apache-2.0
// The backend "vulkan": any GPU with a Vulkan 1.1 driver, found at run time.
#pragma once

#include <memory>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::backend::vulkan {

// Every physical device, the unfit ones too; kUnavailable without loader or driver.
Result<std::vector<DeviceInfo>> list_devices();
Result<std::unique_ptr<Device>> create_device(int index, const DeviceOptions& options);
uint64_t scratch_bytes(int threads, int64_t max_k, int64_t max_n, int64_t max_sequence);
uint64_t host_scratch_bytes(int threads, int64_t max_k, int64_t max_n, int64_t max_sequence);

}  // namespace scrooge::backend::vulkan
