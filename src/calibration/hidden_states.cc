// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/hidden_states.h"

namespace scrooge::calibration {

using backend::Matrix;

Result<HiddenStates> HiddenStates::create(backend::Device& device, const Chunking& chunking, int64_t width,
                                          std::string_view purpose, const SpillPlace& place) {
  HiddenStates states;
  states.device_ = &device;
  states.chunking_ = chunking;
  states.width_ = width;
  const bool spilled = place.kind != SpillPlace::Kind::kNone;
  if (spilled) {
    SCROOGE_ASSIGN_OR_RETURN(states.file_,
                             SpilledMatrix::create(device, spilled_bytes(chunking, width), place, purpose));
  }
  SCROOGE_ASSIGN_OR_RETURN(states.buffer_, device.allocate(device_bytes(chunking, width, spilled), purpose));
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
  if (!here) SCROOGE_RETURN_IF_ERROR(file_.read(result, file_offset(chunk)));
  return result;
}

Status HiddenStates::store(int64_t chunk) {
  return spilled() ? file_.write(place(chunk), file_offset(chunk)) : Status();
}

}  // namespace scrooge::calibration
