// SPDX-License-Identifier: Apache-2.0
// What a driver keeps of its compiled pipelines, as a file between processes: one for each device and driver. Drivers
// trust such data, so a file counts only if it is whole, its own header and ours name this device and this driver, and
// a checksum agrees.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "backends/vulkan/physical_device.h"

namespace scrooge::backend::vulkan {

class PipelineFile {
 public:
  // An empty folder: there is no file, nothing is loaded or saved. The folder must exist.
  PipelineFile(std::string folder, const PhysicalDevice& device);

  // Empty when there is none, or none that counts.
  std::vector<std::byte> load() const;
  // Atomically. Failures are of no consequence, and not told.
  void save(std::span<const std::byte> data) const;
  bool exists() const { return !path_.empty(); }

 private:
  const PhysicalDevice& device_;
  std::string path_;
};

}  // namespace scrooge::backend::vulkan
