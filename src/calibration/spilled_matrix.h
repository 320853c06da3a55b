// SPDX-License-Identifier: Apache-2.0
// Device memory parked elsewhere: in a file without a name, gone when closed, whatever ends the process; or, for a
// device with memory of its own, in the host's.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/backend/device.h"
#include "src/base/random_file.h"

namespace scrooge::calibration {

// Where something is kept that is not in device memory.
struct SpillPlace {
  enum class Kind { kNone, kFile, kHost } kind = Kind::kNone;
  std::string folder = {};       // kFile: of the file
  MemoryBudget* host = nullptr;  // kHost: of the memory
  // kFile: host memory that what goes to the file and back passes through, where the device's memory is not the host's;
  // of kPieceBytes, or of the bytes of the largest matrix that shares it. Used during calls, free between them.
  std::span<std::byte> staging = {};
};

// Movable; one thread at a time. The device must outlive it, as must the budget and the staging.
class SpilledMatrix {
 public:
  // Moved at once; a device asks between the pieces whether the job is to stop.
  static constexpr uint64_t kPieceBytes = uint64_t{8} << 20;

  SpilledMatrix() = default;
  // Reserves the disk space or the memory: kNoSpace names `purpose` and what is missing. REQUIRES: a place.
  static Result<SpilledMatrix> create(backend::Device& device, uint64_t bytes, const SpillPlace& place,
                                      std::string_view purpose);
  bool is_open() const { return file_.is_open() || memory_.data() != nullptr; }

  // The rows of a matrix without gaps, to byte `at` and back. Write-back to a file starts at once: dirty pages count
  // against a memory limit until then, clean ones are given up when the system needs them. They are not dropped before,
  // since they are read again soon.
  Status write(const backend::Matrix& from, uint64_t at);
  Status read(const backend::Matrix& to, uint64_t at);

 private:
  backend::Device* device_ = nullptr;
  RandomFile file_;   // either
  HostBlock memory_;  // or
  std::span<std::byte> staging_;
};

}  // namespace scrooge::calibration
