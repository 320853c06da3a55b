// SPDX-License-Identifier: Apache-2.0
// Taking over what an interrupted writer left: the same steps as writing, but the bytes are read and checked.
#include <algorithm>

#include "src/container/model_writer.h"
#include "src/container/text_check.h"

namespace scrooge::container {

ModelMetadata ModelWriter::last_segment() const {
  ModelMetadata part;
  if (metadata_.segments.empty()) return part;
  part.segments.push_back(metadata_.segments.back());
  const auto index = static_cast<uint32_t>(metadata_.segments.size() - 1);
  const auto first = std::find_if(metadata_.tensors.begin(), metadata_.tensors.end(), [&](const TensorRecord& tensor) {
    return !tensor.planes.empty() && tensor.planes.front().segment == index;
  });
  part.tensors.assign(first, metadata_.tensors.end());
  return part;
}

Status ModelWriter::sync() {
  SCROOGE_RETURN_IF_ERROR(first_error_);
  return stick(file_.sync());
}

Status ModelWriter::write_out(const ModelMetadata& segment, CancelToken* cancel) {
  for (const SegmentRecord& part : segment.segments) {
    const Status done = file_.write_out(part.offset, part.size, [&] { return check_cancelled(cancel); });
    if (!done.ok()) return done.code() == StatusCode::kCancelled ? done : stick(done);
  }
  return {};
}

void ModelWriter::drop_cached(const ModelMetadata& segment) const {
  for (const SegmentRecord& part : segment.segments) file_.drop_cached(part.offset, part.size);
}

// A file that ends too early is damaged too.
Result<bool> ModelWriter::is_intact(uint64_t offset, uint64_t size, uint64_t hash, CancelToken* cancel) const {
  const CheckedSize end = CheckedSize(offset) + size;
  SCROOGE_ASSIGN_OR_RETURN(const uint64_t file_size, file_.size());
  if (!end.fits_in(file_size)) return false;
  std::vector<std::byte> piece(static_cast<size_t>(std::min<uint64_t>(size, 1 << 20)));
  Xxh64 actual;
  for (uint64_t done = 0; done < size;) {
    SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    const auto bytes = std::span(piece).first(static_cast<size_t>(std::min<uint64_t>(piece.size(), size - done)));
    SCROOGE_RETURN_IF_ERROR(file_.read_at(offset + done, bytes));
    actual.update(bytes);
    done += bytes.size();
  }
  return actual.finish() == hash;
}

// The steps of writing, without the bytes.
Status ModelWriter::place_segment(const ModelMetadata& given) {
  const SegmentRecord& segment = given.segments.front();
  SCROOGE_RETURN_IF_ERROR(start_segment(segment.name, segment.kind));
  if (is_blob(segment.kind)) {
    (void)cursor_.place(segment.size);
    metadata_.segments.back().xxh64 = segment.xxh64;
  }
  state_ = State::kSegment;
  for (const TensorRecord& tensor : given.tensors) {
    SCROOGE_RETURN_IF_ERROR(begin_tensor(tensor.description));
    for (const PlaneRecord& plane : tensor.planes) {
      SCROOGE_RETURN_IF_ERROR(begin_plane(plane.kind));
      metadata_.tensors.back().planes.back().xxh64 = plane.xxh64;
      state_ = State::kTensor;
    }
    SCROOGE_RETURN_IF_ERROR(end_tensor());
  }
  if (!cursor_.end().fits_in(INT64_MAX)) return error(StatusCode::kBadModelFile, file_.path(), ": too large a segment");
  close_segment();
  state_ = State::kIdle;
  return {};
}

Result<bool> ModelWriter::intact(const ModelMetadata& given, CancelToken* cancel) const {
  if (given.segments.size() != 1)
    return error(StatusCode::kBadModelFile, file_.path(), ": not one segment to take over");
  const SegmentRecord& segment = given.segments.front();
  bool whole = true;
  if (is_blob(segment.kind)) {
    SCROOGE_ASSIGN_OR_RETURN(whole, is_intact(segment.offset, segment.size, segment.xxh64, cancel));
  }
  for (const TensorRecord& tensor : given.tensors) {
    for (const PlaneRecord& plane : tensor.planes) {
      if (!whole) return false;
      SCROOGE_ASSIGN_OR_RETURN(whole, is_intact(plane.offset, plane.size, plane.xxh64, cancel));
    }
  }
  return whole;
}

Result<bool> ModelWriter::adopt(const ModelMetadata& given, CancelToken* cancel) {
  SCROOGE_RETURN_IF_ERROR(require(State::kIdle, "adopt"));
  SCROOGE_ASSIGN_OR_RETURN(const bool whole, intact(given, cancel));
  if (!whole) return false;
  const SegmentRecord& segment = given.segments.front();
  const size_t first = metadata_.tensors.size();
  SCROOGE_RETURN_IF_ERROR(stick(place_segment(given)));
  const std::span placed = std::span(metadata_.tensors).subspan(first);
  if (metadata_.segments.back() == segment &&
      std::equal(placed.begin(), placed.end(), given.tensors.begin(), given.tensors.end())) {
    return true;
  }
  return stick(error(StatusCode::kBadModelFile, file_.path(), ": segment \"", printable(segment.name),
                     "\" of the unfinished file lies elsewhere; start over with --fresh"));
}

}  // namespace scrooge::container
