// SPDX-License-Identifier: Apache-2.0
// What a job needs of each file system, against what is free there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/base/disk_space.h"
#include "src/base/json.h"

namespace scrooge::pipeline {

// One file, or one kind of files.
struct DiskNeed {
  std::string purpose;  // "output", "spill files"
  std::string option;   // which gives another folder: "--spill"
  std::string folder;
  uint64_t bytes = 0;
  std::string replaces = {};  // a file of which the bytes are taken over or given back
  bool dispensable = false;   // the job can do without
};

// A file system.
struct DiskPlan {
  std::string folder;            // the first one on it
  std::string purposes;          // "output 60.1 MiB, spill files 2.0 GiB"
  std::string options;           // "--output, --spill"
  uint64_t bytes = 0;            // still to be written there
  uint64_t required_bytes = 0;   // of them, without what is dispensable
  std::optional<uint64_t> free;  // nothing where it is not known

  bool enough() const { return !free || bytes <= *free; }
  bool enough_required() const { return !free || required_bytes <= *free; }
};

// In the order of their first needs. An error names the folder and its option. `space` stands in for the system.
Result<std::vector<DiskPlan>> plan_disk(std::span<const DiskNeed> needs,
                                        Result<DiskSpace> (*space)(const std::string& folder) = disk_space);
// kNoSpace, naming folder, need, what is free and the remedy, when some file system has too little of what is required.
Status check_disk(std::span<const DiskPlan> disks);
// "disk", a list, into an open object.
void write_disk_json(std::span<const DiskPlan> disks, JsonWriter& json);

}  // namespace scrooge::pipeline
