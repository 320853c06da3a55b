// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/budget_choice.h"

#include <algorithm>

#include "src/base/text.h"
#include "src/pipeline/device_choice.h"

namespace scrooge::pipeline {
namespace {

BudgetOrigin origin_of(MemorySource source) {
  switch (source) {
    case MemorySource::kUnknown: return BudgetOrigin::kUnlimited;
    case MemorySource::kCgroup: return BudgetOrigin::kCgroup;
    case MemorySource::kMachine: return BudgetOrigin::kMachine;
    case MemorySource::kProcess: return BudgetOrigin::kProcess;
  }
  return BudgetOrigin::kUnlimited;
}

}  // namespace

std::string_view origin_name(BudgetOrigin origin) {
  switch (origin) {
    case BudgetOrigin::kUnlimited: return "unlimited";
    case BudgetOrigin::kGiven: return "given";
    case BudgetOrigin::kDevice: return "device";
    case BudgetOrigin::kCgroup: return "cgroup";
    case BudgetOrigin::kMachine: return "machine";
    case BudgetOrigin::kProcess: return "process";
    case BudgetOrigin::kFree: return "free";
  }
  return "unknown";
}

std::string BudgetChoice::text() const {
  switch (origin) {
    case BudgetOrigin::kUnlimited: return "unlimited";
    case BudgetOrigin::kGiven: return format_bytes(bytes);
    case BudgetOrigin::kDevice: return concat(format_bytes(bytes), " (--device-memory)");
    case BudgetOrigin::kCgroup: return concat(format_bytes(bytes), " (what the cgroup has free, less a margin)");
    case BudgetOrigin::kMachine: return concat(format_bytes(bytes), " (what the machine has free, less a margin)");
    case BudgetOrigin::kProcess: return concat(format_bytes(bytes), " (what ulimit leaves, less a margin)");
    case BudgetOrigin::kFree: return concat(format_bytes(bytes), " (what the device has free, less a margin)");
  }
  return format_bytes(bytes);
}

void BudgetChoice::write_json(JsonWriter& json, std::string_view prefix) const {
  json.key(concat(prefix, "budget_bytes"));
  if (bytes == MemoryBudget::kUnlimited) {
    json.null();
  } else {
    json.value(bytes);
  }
  json.field(concat(prefix, "budget_origin"), origin_name(origin));
}

BudgetChoice choose_budget(uint64_t memory, uint64_t device_memory, AvailableMemory (*available)()) {
  BudgetChoice choice;
  if (memory == kMemoryAvailable) {
    const AvailableMemory found = available();
    choice = {found.bytes, origin_of(found.source)};
  } else if (memory != MemoryBudget::kUnlimited) {
    choice = {memory, BudgetOrigin::kGiven};
  }
  if (device_memory != 0 && device_memory < choice.bytes) choice = {device_memory, BudgetOrigin::kDevice};
  return choice;
}

BudgetChoice choose_device_budget(uint64_t device_memory, const backend::DeviceInfo& device) {
  if (device_memory == MemoryBudget::kUnlimited) return {};
  if (device_memory != 0) return {device_memory, BudgetOrigin::kGiven};
  const uint64_t free = device.free_bytes > 0 ? device.free_bytes : device.total_bytes;
  if (free == 0) return {};
  return {free - std::min(free, memory_margin(free)), BudgetOrigin::kFree};
}

BudgetChoice choose_host_budget(uint64_t memory, uint64_t device_memory, const backend::DeviceInfo& device) {
  if (has_own_memory(device)) return choose_budget(memory, 0);
  const BudgetChoice choice = choose_budget(memory, device_memory);
  if (device.host_memory || device_memory != 0) return choice;
  const BudgetChoice free = choose_device_budget(0, device);
  return free.bytes < choice.bytes ? free : choice;
}

}  // namespace scrooge::pipeline
