// SPDX-License-Identifier: Apache-2.0
// NVIDIA cards, by the driver found at run time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::backend::cuda {

// kUnavailable, saying why, without driver or card.
Result<std::vector<DeviceInfo>> list_devices();
// REQUIRES: options.budget is set; it counts device memory. kUnavailable without driver or card, kInvalidArgument for
// an index that is not there.
Result<std::unique_ptr<Device>> create_device(int index, const DeviceOptions& options);

// What a device takes from the budget beside buffers, for linears of up to `max_n` rows and `max_k` inputs and
// sequences of up to `max_sequence` tokens. README.md derives it. `threads` is not read.
uint64_t scratch_bytes(int threads, int64_t max_k, int64_t max_n, int64_t max_sequence);
// The same of the host's budget: pinned memory for transfers and results.
uint64_t host_scratch_bytes(int threads, int64_t max_k, int64_t max_n, int64_t max_sequence);

}  // namespace scrooge::backend::cuda
