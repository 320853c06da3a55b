// SPDX-License-Identifier: Apache-2.0
// The cards of a driver: which there are, and what they are.
#pragma once

#include <string_view>
#include <vector>

#include "backends/cuda/driver_api.h"
#include "src/backend/device.h"

namespace scrooge::backend::cuda {

// The card with this index. kUnavailable without any card or for one that the kernels do not run on, kInvalidArgument
// for an index beyond them, saying how many there are.
Result<CuDevice> find_card(const DriverApi& api, int index);

// Free memory is asked of the card's context, which is made and let go again where nobody holds it.
DeviceInfo describe_card(const DriverApi& api, CuDevice device, std::string_view backend);

// All cards; kUnavailable when there is none.
Result<std::vector<DeviceInfo>> list_cards(const DriverApi& api, std::string_view backend);

}  // namespace scrooge::backend::cuda
