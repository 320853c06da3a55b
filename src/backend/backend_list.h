// SPDX-License-Identifier: Apache-2.0
// The one explicit, ordered list of backends in this build. No registration, no static constructors.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::backend {

struct Backend {
  std::string_view name;
  // What is there, one entry per device; empty with a status when the driver or hardware is missing.
  Result<std::vector<DeviceInfo>> (*list_devices)();
  // kUnavailable when missing.
  Result<std::unique_ptr<Device>> (*create)(int index, const DeviceOptions& options);
  // Upper bound of what a device takes from the budget beside buffers, for linears of up to max_n rows and max_k inputs
  // and sequences of up to max_sequence tokens; for the planner. Null: nothing.
  uint64_t (*scratch_bytes)(int threads, int64_t max_k, int64_t max_n, int64_t max_sequence) = nullptr;
  // The same of DeviceOptions::host_budget, where the device's memory is its own: staging and scratch.
  uint64_t (*host_scratch_bytes)(int threads, int64_t max_k, int64_t max_n, int64_t max_sequence) = nullptr;
};

// The host's backend that gives the same bits on every processor: what a reproducible job runs on in place of "cpu".
inline constexpr std::string_view kReproducibleBackend = "cpu-reproducible";

// In order of preference among devices of one kind (src/pipeline/device_choice.h).
std::span<const Backend> all_backends();

// Backends of a test program, after those of the build. Empty in everything that is shipped (extra_backends.cc); a test
// program that has some defines this function itself, and the linker leaves the empty one in its archive.
std::span<const Backend> extra_backends();

// `name` as users give it: "cpu", "reference", "NAME:INDEX". kUnavailable for a backend that this build does
// not have, naming those it has; kInvalidArgument for a malformed index.
Result<std::unique_ptr<Device>> create_device(std::string_view name, const DeviceOptions& options);
// The backend that `name` means, with the same errors.
Result<const Backend*> find_backend(std::string_view name);

}  // namespace scrooge::backend
