// SPDX-License-Identifier: Apache-2.0
// What a job will allocate, computed from shapes before any work.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/json.h"

namespace scrooge::pipeline {

// Numbers are those of the C ABI.
enum class Placement : int32_t {
  kHeld = 0,        // in memory, as a whole
  kStreamed = 1,    // passes through a buffer of these bytes, from its file or to it
  kSpilled = 2,     // on disk, or off the device with the host; these bytes are the part of it in memory
  kRecomputed = 3,  // not kept; these bytes are what making it again takes
};

// Numbers are those of the C ABI.
enum class Pool : int32_t {
  kHost = 0,    // under the host's budget, as is a device that computes in the host's memory
  kDevice = 1,  // under the budget of a device with memory of its own
};

// "host", "device": stable, for JSON.
std::string_view pool_name(Pool pool);

// "held", "streamed", "spilled", "recomputed": stable, for JSON.
std::string_view placement_name(Placement placement);

struct PlanItem {
  std::string stage;  // when it is held: "job", "solve", "write", ...
  std::string purpose;
  uint64_t bytes = 0;
  Placement placement = Placement::kHeld;
  Pool pool = Pool::kHost;
};

struct MemoryPlan {
  std::vector<PlanItem> items;
  bool own_device = false;            // the device has memory of its own
  uint64_t overhead_bytes = 0;        // of the process itself: code, heap, tokenizer; measured when the plan is made
  uint64_t peak_bytes = 0;            // of the host: overhead and everything held at the worst moment
  uint64_t spill_bytes = 0;           // of disk, in spill files
  uint64_t minimum_bytes = 0;         // the smallest budget the job can run in
  uint64_t device_minimum_bytes = 0;  // the same of the device's, where its memory is its own

  // Of the device.
  void add(std::string stage, std::string purpose, uint64_t bytes, Placement placement = Placement::kHeld) {
    items.push_back({std::move(stage), std::move(purpose), bytes, placement, own_device ? Pool::kDevice : Pool::kHost});
  }
  void add_host(std::string stage, std::string purpose, uint64_t bytes, Placement placement = Placement::kHeld) {
    items.push_back({std::move(stage), std::move(purpose), bytes, placement, Pool::kHost});
  }
  uint64_t sum(Pool pool = Pool::kHost) const {
    uint64_t bytes = 0;
    for (const PlanItem& item : items) bytes += item.pool == pool ? item.bytes : 0;
    return bytes;
  }
  // peak_bytes, minimum_bytes, overhead_bytes, those of the device and items, into an open object.
  void write_json(JsonWriter& json) const;
};

// Anonymous and shared resident memory of this process; 0 where the system does not say.
uint64_t resident_anonymous_bytes();
// Gives the heap's free memory back to the system, where the C library can.
void trim_heap();

}  // namespace scrooge::pipeline
