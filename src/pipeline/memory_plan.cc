// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/memory_plan.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <string_view>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace scrooge::pipeline {

std::string_view placement_name(Placement placement) {
  switch (placement) {
    case Placement::kHeld: return "held";
    case Placement::kStreamed: return "streamed";
    case Placement::kSpilled: return "spilled";
    case Placement::kRecomputed: return "recomputed";
  }
  return "unknown";
}

std::string_view pool_name(Pool pool) { return pool == Pool::kDevice ? "device" : "host"; }

void MemoryPlan::write_json(JsonWriter& json) const {
  json.field("peak_bytes", peak_bytes).field("minimum_bytes", minimum_bytes).field("overhead_bytes", overhead_bytes);
  json.field("spill_bytes", spill_bytes);
  json.field("device_peak_bytes", sum(Pool::kDevice)).field("device_minimum_bytes", device_minimum_bytes);
  json.key("items").begin_array();
  for (const PlanItem& item : items) {
    json.begin_object()
        .field("stage", item.stage)
        .field("purpose", item.purpose)
        .field("bytes", item.bytes)
        .field("placement", placement_name(item.placement))
        .field("memory", pool_name(item.pool))
        .end_object();
  }
  json.end_array();
}

uint64_t resident_anonymous_bytes() {
  const int descriptor = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  char buffer[8192];
  const ssize_t size = ::read(descriptor, buffer, sizeof buffer);
  ::close(descriptor);
  const std::string_view text(buffer, size > 0 ? static_cast<size_t>(size) : 0);
  uint64_t total = 0;
  for (const std::string_view field : {"RssAnon:", "RssShmem:"}) {
    const size_t at = text.find(field);
    if (at == std::string_view::npos) continue;
    size_t digit = at + field.size();
    while (digit < text.size() && (text[digit] == ' ' || text[digit] == '\t')) ++digit;
    uint64_t kilobytes = 0;
    (void)std::from_chars(text.data() + digit, text.data() + text.size(), kilobytes);
    total += kilobytes * 1024;
  }
  return total;
}

void trim_heap() {
#if defined(__GLIBC__)
  (void)::malloc_trim(0);
#endif
}

}  // namespace scrooge::pipeline
