// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/disk_plan.h"

#include <algorithm>

#include "src/base/checked_size.h"

namespace scrooge::pipeline {

namespace {

void add_to(uint64_t& sum, uint64_t bytes) { sum = bytes > ~sum ? ~uint64_t{0} : sum + bytes; }

}  // namespace

Result<std::vector<DiskPlan>> plan_disk(std::span<const DiskNeed> needs,
                                        Result<DiskSpace> (*space)(const std::string& folder)) {
  std::vector<DiskPlan> disks;
  std::vector<uint64_t> numbers;
  for (const DiskNeed& need : needs) {
    auto found = space(need.folder);
    if (!found.ok()) return found.status().with_context(need.option);
    const auto known = std::find(numbers.begin(), numbers.end(), found->file_system);
    const auto index = static_cast<size_t>(known - numbers.begin());
    if (known == numbers.end()) {
      numbers.push_back(found->file_system);
      DiskPlan& disk = disks.emplace_back();
      disk.folder = need.folder;
      disk.free = found->free;
    }
    if (need.bytes == 0) continue;
    DiskPlan& disk = disks[index];
    const uint64_t there = need.replaces.empty() ? 0 : disk_bytes_of(need.replaces);
    const uint64_t bytes = need.bytes - std::min(need.bytes, there);
    add_to(disk.bytes, bytes);
    if (!need.dispensable) add_to(disk.required_bytes, bytes);
    disk.purposes += concat(disk.purposes.empty() ? "" : ", ", need.purpose, " ", format_bytes(bytes));
    if (disk.options.find(need.option) == std::string::npos) {
      disk.options += concat(disk.options.empty() ? "" : ", ", need.option);
    }
  }
  // A folder that is only looked at.
  std::erase_if(disks, [](const DiskPlan& disk) { return disk.purposes.empty(); });
  return disks;
}

Status check_disk(std::span<const DiskPlan> disks) {
  for (const DiskPlan& disk : disks) {
    if (disk.enough_required()) continue;
    return error(StatusCode::kNoSpace, disk.folder, ": this job needs ", format_bytes(disk.required_bytes), " (",
                 disk.purposes, ") on that disk, which has ", format_bytes(*disk.free),
                 " free; free some space, give another folder (", disk.options, "), or fewer or shorter samples");
  }
  return {};
}

void write_disk_json(std::span<const DiskPlan> disks, JsonWriter& json) {
  json.key("disk").begin_array();
  for (const DiskPlan& disk : disks) {
    json.begin_object().field("folder", printable(disk.folder)).field("purposes", disk.purposes);
    json.field("bytes", disk.bytes).field("required_bytes", disk.required_bytes).key("free_bytes");
    if (disk.free) {
      json.value(*disk.free);
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array();
}

}  // namespace scrooge::pipeline
