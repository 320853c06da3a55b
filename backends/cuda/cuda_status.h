// SPDX-License-Identifier: Apache-2.0
// The driver's errors as Status: the only place that knows their numbers.
#pragma once

#include <string_view>

#include "backends/cuda/driver_api.h"
#include "src/base/status.h"

namespace scrooge::backend::cuda {

// Ok for kCuSuccess. kOutOfMemory where device memory was refused, kUnavailable where the device, the driver or the
// context is gone, kUnsupported where the card cannot run the kernel, kInternal for what only a mistake of this library
// causes. The message has the call's name, the driver's name of the error and its number.
Status check(const DriverApi& api, CuResult result, std::string_view call);

// After one of these the context answers every call with an error: the device has to be made anew.
bool is_sticky(CuResult result);

}  // namespace scrooge::backend::cuda
