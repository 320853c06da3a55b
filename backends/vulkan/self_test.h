// SPDX-License-Identifier: Apache-2.0
// Whether a device computes what this backend relies on. Drivers exist that do not; a model quantized by one would be
// wrong in silence.
#pragma once

#include <string>

#include "backends/vulkan/context.h"

namespace scrooge::backend::vulkan {

// kUnavailable, naming driver and fault, when something is wrong. Done once for each driver in a process.
Status self_test(Context& context);
// What self_test() found wrong with this driver, if it was called; empty otherwise.
std::string known_fault(const PhysicalDevice& device);

}  // namespace scrooge::backend::vulkan
