// SPDX-License-Identifier: Apache-2.0
#include "src/cli/plan_table.h"

#include <algorithm>
#include <string_view>

#include "src/cli/console.h"
#include "src/cli/size_text.h"

namespace scrooge::cli {
namespace {

constexpr std::size_t kStageWidth = 18;    // at most, as the next
constexpr std::size_t kPurposeWidth = 50;  // with the other columns and the gaps: below 100
constexpr std::size_t kMibWidth = 8;

std::string mib_number(uint64_t bytes) { return format_fixed(static_cast<double>(bytes) / (1 << 20), 1); }

const char* placement_text(int32_t placement) {
  switch (placement) {
    case SCROOGE_PLACEMENT_HELD: return "held";
    case SCROOGE_PLACEMENT_STREAMED: return "streamed";
    case SCROOGE_PLACEMENT_SPILLED: return "spilled";
    case SCROOGE_PLACEMENT_RECOMPUTED: return "recomputed";
  }
  return "?";
}

std::string left(std::string_view text, std::size_t width) {
  std::string cell(text.substr(0, width));
  cell.resize(width, ' ');
  return cell;
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

// Those of a stage beside each other.
std::vector<scrooge_plan_item> by_stage(const std::vector<scrooge_plan_item>& items) {
  std::vector<scrooge_plan_item> sorted;
  for (const scrooge_plan_item& item : items) {
    const auto last = std::find_if(sorted.rbegin(), sorted.rend(), [&](const scrooge_plan_item& earlier) {
      return std::string_view(earlier.stage) == item.stage;
    });
    sorted.insert(last == sorted.rend() ? sorted.end() : last.base(), item);
  }
  return sorted;
}

}  // namespace

std::string format_mib(uint64_t bytes) { return mib_number(bytes) + " MiB"; }

std::string budget_text(uint64_t bytes, int32_t origin) {
  if (bytes == UINT64_MAX) return "no limit";
  const std::string size = format_size(bytes);
  switch (origin) {
    case SCROOGE_BUDGET_GIVEN: return size + ", given";
    case SCROOGE_BUDGET_DEVICE: return size + ", given for the device";
    case SCROOGE_BUDGET_CGROUP: return size + ", free in the cgroup";
    case SCROOGE_BUDGET_MACHINE: return size + ", free on this machine";
    case SCROOGE_BUDGET_PROCESS: return size + ", left by ulimit";
    case SCROOGE_BUDGET_FREE: return size + ", free on the device";
    default: return size;
  }
}

std::string device_text(const std::string& id, const std::string& name, const std::string& reason) {
  const std::string text = without_control_characters(id + " (" + name + ")");
  return reason.empty() ? text : text + ": " + without_control_characters(reason);
}

std::string plan_table(const std::vector<scrooge_plan_item>& items, const char* heading) {
  std::size_t stage_width = 5;
  std::size_t purpose_width = 6;
  uint64_t sum = 0;
  for (const scrooge_plan_item& item : items) {
    stage_width = std::max(stage_width, std::min(kStageWidth, std::string_view(item.stage).size()));
    purpose_width = std::max(purpose_width, std::min(kPurposeWidth, std::string_view(item.purpose).size()));
    sum += item.bytes;
  }
  const auto line = [&](std::string_view stage, std::string_view purpose, const std::string& mib, const char* kept) {
    std::string text = left(stage, stage_width) + "  " + left(purpose, purpose_width) + "  " + right(mib, kMibWidth);
    if (*kept != '\0') text += std::string("  ") + kept;
    return text + "\n";
  };
  std::string table = line("stage", heading, "MiB", "kept");
  std::string_view stage;
  for (const scrooge_plan_item& item : by_stage(items)) {
    table += line(stage == item.stage ? "" : item.stage, item.purpose, mib_number(item.bytes),
                  placement_text(item.placement));
    stage = item.stage;
  }
  return table + line("", "sum", mib_number(sum), "");
}

std::string time_table(const std::vector<scrooge_time_item>& items) {
  std::size_t width = 6;
  double sum = 0;
  for (const scrooge_time_item& item : items) {
    width = std::max(width, std::min(kPurposeWidth, std::string_view(item.purpose).size()));
    sum += item.seconds;
  }
  // So many that the least part of a short job shows.
  const int digits = sum < 1 ? 3 : 1;
  const auto line = [&](std::string_view purpose, const std::string& seconds, const std::string& share) {
    const std::string text = left(purpose, width) + "  " + right(seconds, kMibWidth);
    return (share.empty() ? text : text + "  " + right(share, 5)) + "\n";
  };
  std::string table = line("work", "seconds", "share");
  for (const scrooge_time_item& item : items) {
    table += line(item.purpose, format_fixed(item.seconds, digits),
                  format_fixed(sum > 0 ? 100 * item.seconds / sum : 0, 0) + " %");
  }
  return table + line("sum", format_fixed(sum, digits), "");
}

std::string time_text(const scrooge_time_plan& time) {
  std::string text = "about " + format_duration(time.seconds);
  if (time.seconds_fast > 0) {
    text += ", " + format_fixed(time.seconds / time.seconds_fast, 1) + " times --effort fast";
  }
  return text + (time.rate_measured != 0 ? "; by a product timed on this machine" : "; by what such a device does");
}

}  // namespace scrooge::cli
