// SPDX-License-Identifier: Apache-2.0
// The budget a job runs in, from what the caller gave or from what the machine has free.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/available_memory.h"
#include "src/base/json.h"
#include "src/base/memory_budget.h"

namespace scrooge::pipeline {

// Numbers are those of the C ABI.
enum class BudgetOrigin : int32_t {
  kUnlimited = 0,  // asked for, or nothing says what the machine has
  kGiven = 1,
  kDevice = 2,   // the ceiling of the device, whose memory is the host's
  kCgroup = 3,   // what the control group has free
  kMachine = 4,  // what the machine has free
  kProcess = 5,  // what the limits of the process leave
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
  // budget_bytes, null where there is no limit, and budget_origin, into an open object.
  void write_json(JsonWriter& json) const;
};

// `memory` is kMemoryAvailable, MemoryBudget::kUnlimited or bytes; only the first looks at `available`, the process's
// memory as available_memory() gives it. `device_memory` is 0 (none of its own), kUnlimited or bytes: a second ceiling
// on the same memory, so that the smaller counts. REQUIRES: the device's memory is the host's.
BudgetChoice choose_budget(uint64_t memory, uint64_t device_memory, AvailableMemory (*available)() = available_memory);

}  // namespace scrooge::pipeline
