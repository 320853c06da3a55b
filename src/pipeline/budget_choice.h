// SPDX-License-Identifier: Apache-2.0
// The budget a job runs in, from what the caller gave or from what the machine has free.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/backend/device.h"
#include "src/base/available_memory.h"
#include "src/base/json.h"
#include "src/base/memory_budget.h"

namespace scrooge::pipeline {

// Numbers are those of the C ABI.
enum class BudgetOrigin : int32_t {
  kUnlimited = 0,  // asked for, or nothing says what the machine has
  kGiven = 1,
  kDevice = 2,   // the ceiling of a device whose memory is the host's
  kCgroup = 3,   // what the control group has free
  kMachine = 4,  // what the machine has free
  kProcess = 5,  // what the limits of the process leave
  kFree = 6,     // what the device has free
};

// "given", "cgroup", ...: stable, for JSON.
std::string_view origin_name(BudgetOrigin origin);

// What `memory` of the options stands for where nobody gave a budget.
constexpr uint64_t kMemoryAvailable = 0;

struct BudgetChoice {
  uint64_t bytes = MemoryBudget::kUnlimited;
  BudgetOrigin origin = BudgetOrigin::kUnlimited;

  // "2.0 GiB", "36.0 MiB (what the machine has free, less a margin)": for messages.
  std::string text() const;
  // budget_bytes, null where there is no limit, and budget_origin, into an open object; `prefix` before both names.
  void write_json(JsonWriter& json, std::string_view prefix = {}) const;
};

// `memory` is kMemoryAvailable, MemoryBudget::kUnlimited or bytes; only the first looks at `available`, the process's
// memory as available_memory() gives it. `device_memory` is 0 (none of its own), kUnlimited or bytes: a second ceiling
// on the same memory, so that the smaller counts; 0 for a device with memory of its own.
BudgetChoice choose_budget(uint64_t memory, uint64_t device_memory, AvailableMemory (*available)() = available_memory);

// Of a device with memory of its own: `device_memory`, or for 0 what it has free, less a margin for what others take
// meanwhile. Unlimited where it does not say.
BudgetChoice choose_device_budget(uint64_t device_memory, const backend::DeviceInfo& device);

// Of the host, for a job on `device`. Where the memories are one the device's ceiling counts too, and for an integrated
// device that nobody gave one also what it says is free, as it may reach a part of the memory only.
BudgetChoice choose_host_budget(uint64_t memory, uint64_t device_memory, const backend::DeviceInfo& device);

}  // namespace scrooge::pipeline
