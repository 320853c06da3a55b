// SPDX-License-Identifier: Apache-2.0
// Device memory parked in a file without a name: gone when closed, whatever ends the process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/backend/device.h"
#include "src/base/random_file.h"

namespace scrooge::calibration {

// One thread at a time. The device must outlive it.
class SpilledMatrix {
 public:
  SpilledMatrix() = default;
  // Reserves the disk space: kNoSpace names `purpose` and what is missing.
  static Result<SpilledMatrix> create(backend::Device& device, uint64_t bytes, const std::string& folder,
                                      std::string_view purpose);
  bool is_open() const { return file_.is_open(); }

  // The rows of a matrix without gaps, to byte `at` of the file and back. Write-back starts at once: dirty pages count
  // against a memory limit until then, clean ones are given up when the system needs them. They are not dropped before,
  // since they are read again soon.
  Status write(const backend::Matrix& from, uint64_t at);
  Status read(const backend::Matrix& to, uint64_t at);

 private:
  backend::Device* device_ = nullptr;
  RandomFile file_;
  std::vector<std::byte> staging_;  // only where the device's memory is not the host's
};

}  // namespace scrooge::calibration
