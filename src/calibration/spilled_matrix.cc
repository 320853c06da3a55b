// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/spilled_matrix.h"

#include <algorithm>

namespace scrooge::calibration {

using backend::Matrix;

namespace {

// `staging` may be empty: where there is none.
template <typename Move>
Status in_pieces(const Matrix& matrix, std::span<const std::byte> staging, const Move& move) {
  const uint64_t piece = staging.empty() ? SpilledMatrix::kPieceBytes : staging.size();
  const uint64_t bytes = static_cast<uint64_t>(matrix.rows * matrix.cols * dtype_size(matrix.dtype));
  for (uint64_t done = 0; done < bytes; done += piece) {
    SCROOGE_RETURN_IF_ERROR(move(done, std::min(piece, bytes - done)));
  }
  return {};
}

}  // namespace

Result<SpilledMatrix> SpilledMatrix::create(backend::Device& device, uint64_t bytes, const SpillPlace& place,
                                            std::string_view purpose) {
  SpilledMatrix spilled;
  spilled.device_ = &device;
  if (place.kind == SpillPlace::Kind::kHost) {
    SCROOGE_ASSIGN_OR_RETURN(spilled.memory_, place.host->allocate(bytes, purpose));
    return spilled;
  }
  SCROOGE_ASSIGN_OR_RETURN(spilled.file_, RandomFile::create_nameless(place.folder));
  SCROOGE_RETURN_IF_ERROR(spilled.file_.reserve(bytes, purpose));
  spilled.staging_ = place.staging;
  return spilled;
}

Status SpilledMatrix::write(const Matrix& from, uint64_t at) {
  return in_pieces(from, staging_, [&](uint64_t done, uint64_t count) {
    const auto size = static_cast<size_t>(count);
    if (memory_.data() != nullptr) {
      return device_->download(*from.buffer, from.offset + done, {memory_.data() + at + done, size});
    }
    SCROOGE_RETURN_IF_ERROR(device_->synchronize());
    std::span<const std::byte> bytes;
    if (const std::byte* const memory = from.buffer->host_data()) {
      bytes = {memory + from.offset + done, size};
    } else {
      bytes = staging_.first(size);
      SCROOGE_RETURN_IF_ERROR(device_->download(*from.buffer, from.offset + done, staging_.first(size)));
    }
    SCROOGE_RETURN_IF_ERROR(file_.write_at(at + done, bytes));
    file_.write_back(at + done, count);
    return Status();
  });
}

Status SpilledMatrix::read(const Matrix& to, uint64_t at) {
  return in_pieces(to, staging_, [&](uint64_t done, uint64_t count) {
    const auto size = static_cast<size_t>(count);
    if (memory_.data() != nullptr) {
      return device_->upload(*to.buffer, to.offset + done, {memory_.data() + at + done, size});
    }
    if (std::byte* const memory = to.buffer->host_data()) {
      SCROOGE_RETURN_IF_ERROR(device_->synchronize());
      return file_.read_at(at + done, {memory + to.offset + done, size});
    }
    const std::span<std::byte> staging = staging_.first(size);
    SCROOGE_RETURN_IF_ERROR(file_.read_at(at + done, staging));
    return device_->upload(*to.buffer, to.offset + done, staging);
  });
}

}  // namespace scrooge::calibration
