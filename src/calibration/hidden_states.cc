// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/hidden_states.h"

namespace scrooge::calibration {

using backend::Matrix;

Result<HiddenStates> HiddenStates::create(backend::Device& device, const Chunking& chunking, int64_t width,
                                          std::string_view purpose, const std::string& spill_folder) {
  HiddenStates states;
  states.device_ = &device;
  states.chunking_ = chunking;
  states.width_ = width;
  if (!spill_folder.empty()) {
    SCROOGE_ASSIGN_OR_RETURN(states.file_, RandomFile::create_nameless(spill_folder));
    SCROOGE_RETURN_IF_ERROR(states.file_.reserve(disk_bytes(chunking, width), purpose));
  }
  SCROOGE_ASSIGN_OR_RETURN(states.buffer_,
                           device.allocate(device_bytes(chunking, width, !spill_folder.empty()), purpose));
  return states;
}

Matrix HiddenStates::place(int64_t chunk) {
  loaded_ = chunk;
  const uint64_t offset = spilled() ? 0 : file_offset(chunk);
  return {buffer_.get(), offset, chunking_.tokens_in(chunk), width_, width_, DType::kF32};
}

Result<Matrix> HiddenStates::load(int64_t chunk) {
  const bool here = !spilled() || loaded_ == chunk;
  const Matrix result = place(chunk);
  if (here) return result;
  const auto bytes = static_cast<size_t>(float_bytes(result.rows * width_));
  if (std::byte* const memory = buffer_->host_data()) {
    SCROOGE_RETURN_IF_ERROR(device_->synchronize());
    SCROOGE_RETURN_IF_ERROR(file_.read_at(file_offset(chunk), std::span(memory, bytes)));
  } else {
    staging_.resize(bytes);
    SCROOGE_RETURN_IF_ERROR(file_.read_at(file_offset(chunk), staging_));
    SCROOGE_RETURN_IF_ERROR(device_->upload(*buffer_, 0, staging_));
  }
  return result;
}

// Write-back starts at once: dirty pages count against a memory limit until then, clean ones are given up when the
// system needs them. They are not dropped before, since the next pass reads them again.
Status HiddenStates::store(int64_t chunk) {
  if (!spilled()) return {};
  const auto bytes = static_cast<size_t>(float_bytes(chunking_.tokens_in(chunk) * width_));
  if (const std::byte* const memory = buffer_->host_data()) {
    SCROOGE_RETURN_IF_ERROR(device_->synchronize());
    SCROOGE_RETURN_IF_ERROR(file_.write_at(file_offset(chunk), std::span(memory, bytes)));
  } else {
    staging_.resize(bytes);
    SCROOGE_RETURN_IF_ERROR(device_->download(*buffer_, 0, staging_));
    SCROOGE_RETURN_IF_ERROR(file_.write_at(file_offset(chunk), staging_));
  }
  file_.write_back(file_offset(chunk), bytes);
  return {};
}

}  // namespace scrooge::calibration
