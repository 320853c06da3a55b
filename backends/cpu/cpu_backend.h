// SPDX-License-Identifier: Apache-2.0
// The host backend: threads, SIMD chosen at run time, matrix products by oneDNN or Eigen.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::backend::cpu {

Result<std::vector<DeviceInfo>> list_devices();
// Matrix products by oneDNN when it is built in and the processor has AVX2 or better, by Eigen otherwise.
// REQUIRES: options.budget is set. kInvalidArgument when index is not 0.
Result<std::unique_ptr<Device>> create_device(int index, const DeviceOptions& options);

// The same device with Eigen's products whatever the processor: a second opinion for tests, never offered to users, so
// it lists nothing.
Result<std::vector<DeviceInfo>> list_devices_eigen();
Result<std::unique_ptr<Device>> create_device_eigen(int index, const DeviceOptions& options);

// The same device with products whose order of operations is fixed, so that every result is the same on every
// processor. For reproducible jobs; it lists nothing either.
Result<std::vector<DeviceInfo>> list_devices_reproducible();
Result<std::unique_ptr<Device>> create_device_reproducible(int index, const DeviceOptions& options);

// An upper bound of what one device takes from its budget beside the buffers, over any sequence of ops, for linears of
// up to `max_n` rows and `max_k` inputs, sequences of up to `max_sequence` tokens, heads of up to 256 and up to 64 clip
// candidates. It does not depend on the tokens of a call: long inputs are worked through in chunks. README.md derives
// it.
uint64_t scratch_bytes(int threads, int64_t max_k, int64_t max_n, int64_t max_sequence);

}  // namespace scrooge::backend::cpu
