// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/budget_choice.h"

#include "src/base/text.h"

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
  }
  return format_bytes(bytes);
}

void BudgetChoice::write_json(JsonWriter& json) const {
  json.key("budget_bytes");
  if (bytes == MemoryBudget::kUnlimited) {
    json.null();
  } else {
    json.value(bytes);
  }
  json.field("budget_origin", origin_name(origin));
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

}  // namespace scrooge::pipeline
