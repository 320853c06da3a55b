// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/spilled_matrix.h"

#include <algorithm>

namespace scrooge::calibration {

using backend::Matrix;

namespace {

// Moved at once; a device asks between the pieces whether the job is to stop.
constexpr uint64_t kPiece = uint64_t{8} << 20;

template <typename Move>
Status in_pieces(const Matrix& matrix, const Move& move) {
  const uint64_t bytes = static_cast<uint64_t>(matrix.rows * matrix.cols * dtype_size(matrix.dtype));
  for (uint64_t done = 0; done < bytes; done += kPiece) {
    SCROOGE_RETURN_IF_ERROR(move(done, std::min(kPiece, bytes - done)));
  }
  return {};
}

}  // namespace

Result<SpilledMatrix> SpilledMatrix::create(backend::Device& device, uint64_t bytes, const std::string& folder,
                                            std::string_view purpose) {
  SpilledMatrix spilled;
  spilled.device_ = &device;
  SCROOGE_ASSIGN_OR_RETURN(spilled.file_, RandomFile::create_nameless(folder));
  SCROOGE_RETURN_IF_ERROR(spilled.file_.reserve(bytes, purpose));
  return spilled;
}

Status SpilledMatrix::write(const Matrix& from, uint64_t at) {
  return in_pieces(from, [&](uint64_t done, uint64_t count) {
    SCROOGE_RETURN_IF_ERROR(device_->synchronize());
    std::span<const std::byte> bytes;
    if (const std::byte* const memory = from.buffer->host_data()) {
      bytes = std::span(memory + from.offset + done, static_cast<size_t>(count));
    } else {
      staging_.resize(static_cast<size_t>(count));
      SCROOGE_RETURN_IF_ERROR(device_->download(*from.buffer, from.offset + done, staging_));
      bytes = staging_;
    }
    SCROOGE_RETURN_IF_ERROR(file_.write_at(at + done, bytes));
    file_.write_back(at + done, count);
    return Status();
  });
}

Status SpilledMatrix::read(const Matrix& to, uint64_t at) {
  return in_pieces(to, [&](uint64_t done, uint64_t count) {
    SCROOGE_RETURN_IF_ERROR(device_->synchronize());
    if (std::byte* const memory = to.buffer->host_data()) {
      return file_.read_at(at + done, std::span(memory + to.offset + done, static_cast<size_t>(count)));
    }
    staging_.resize(static_cast<size_t>(count));
    SCROOGE_RETURN_IF_ERROR(file_.read_at(at + done, staging_));
    return device_->upload(*to.buffer, to.offset + done, staging_);
  });
}

}  // namespace scrooge::calibration
