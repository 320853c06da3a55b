// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::backend::reference {

Result<std::vector<DeviceInfo>> list_devices();
// REQUIRES: options.budget is set. kInvalidArgument when index is not 0.
Result<std::unique_ptr<Device>> create_device(int index, const DeviceOptions& options);

}  // namespace scrooge::backend::reference
