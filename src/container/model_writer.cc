// SPDX-License-Identifier: Apache-2.0
#include "src/container/model_writer.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "src/container/metadata_check.h"
#include "src/container/metadata_codec.h"
#include "src/container/superblock.h"
#include "src/container/text_check.h"

namespace scrooge::container {

Result<ModelWriter> ModelWriter::create(const std::string& path, Alignment alignment) {
  SCROOGE_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  return create(std::move(file), alignment);
}

Result<ModelWriter> ModelWriter::create(AtomicFile file, Alignment alignment) {
  const std::string& path = file.path();
  if (std::endian::native != std::endian::little) {
    return error(StatusCode::kUnsupported, path, ": .scrooge files are written on little-endian machines only");
  }
  if (!alignment.valid()) {
    return error(StatusCode::kInvalidArgument, path, ": alignment 2^", static_cast<int>(alignment.segment_log2),
                 " of segments or 2^", static_cast<int>(alignment.plane_log2),
                 " of planes is out of range; give 12 to 16, and 8 to the former");
  }
  return ModelWriter(std::move(file), alignment);
}

Status ModelWriter::stick(Status status) {
  if (!status.ok() && first_error_.ok()) first_error_ = status;
  return status;
}

Status ModelWriter::require(State state, const char* call) {
  SCROOGE_RETURN_IF_ERROR(first_error_);
  if (state_ == state) return {};
  return stick(error(StatusCode::kInvalidArgument, file_.path(), ": ", call, " was called out of turn"));
}

Status ModelWriter::reserve(uint64_t total_bytes) {
  SCROOGE_RETURN_IF_ERROR(first_error_);
  if (total_bytes > INT64_MAX) return stick(error(StatusCode::kInvalidArgument, file_.path(), ": too large a file"));
  return stick(file_.reserve(total_bytes));
}

Status ModelWriter::start_segment(std::string name, SegmentKind kind) {
  if (name.empty() || !is_storable_text(name)) {
    return error(StatusCode::kInvalidArgument, file_.path(), ": a segment needs a name in UTF-8");
  }
  if (!segment_names_.insert(name).second) {
    return error(StatusCode::kInvalidArgument, file_.path(), ": segment \"", printable(name), "\" is there already");
  }
  const CheckedSize offset = cursor_.next_segment();
  if (!offset.fits_in(INT64_MAX)) return error(StatusCode::kInvalidArgument, file_.path(), ": the file is too large");
  metadata_.segments.push_back({std::move(name), kind, offset.value(), 0, 0});
  return {};
}

void ModelWriter::close_segment() {
  SegmentRecord& segment = metadata_.segments.back();
  segment.size = cursor_.end().value() - segment.offset;
}

Status ModelWriter::begin_segment(std::string name, SegmentKind kind) {
  SCROOGE_RETURN_IF_ERROR(require(State::kIdle, "begin_segment"));
  if (!is_known(kind) || is_blob(kind)) {
    return stick(error(StatusCode::kInvalidArgument, file_.path(), ": segment \"", printable(name),
                       "\" is not of a kind that holds tensors; use add_blob"));
  }
  SCROOGE_RETURN_IF_ERROR(stick(start_segment(std::move(name), kind)));
  state_ = State::kSegment;
  return {};
}

Status ModelWriter::begin_tensor(TensorDescription description) {
  SCROOGE_RETURN_IF_ERROR(require(State::kSegment, "begin_tensor"));
  auto geometry = plane_geometry(description);
  if (!geometry.ok()) return stick(geometry.status().with_context(file_.path()));
  if (!tensor_names_.insert(description.name).second) {
    return stick(error(StatusCode::kInvalidArgument, file_.path(), ": tensor \"", printable(description.name),
                       "\" is there already"));
  }
  geometry_ = std::move(*geometry);
  metadata_.tensors.push_back({std::move(description), {}});
  state_ = State::kTensor;
  return {};
}

Status ModelWriter::begin_plane(PlaneKind kind) {
  SCROOGE_RETURN_IF_ERROR(require(State::kTensor, "begin_plane"));
  TensorRecord& tensor = metadata_.tensors.back();
  const size_t index = tensor.planes.size();
  if (index >= geometry_.size() || geometry_[index].kind != kind) {
    return stick(error(StatusCode::kInvalidArgument, file_.path(), ": tensor \"", printable(tensor.description.name),
                       "\" does not have a ", plane_kind_name(kind), " plane in this place"));
  }
  const PlaneGeometry& plane = geometry_[index];
  const CheckedSize offset = cursor_.place(plane.size);
  if (!cursor_.end().fits_in(INT64_MAX)) {
    return stick(error(StatusCode::kInvalidArgument, file_.path(), ": the file is too large"));
  }
  const auto segment = static_cast<uint32_t>(metadata_.segments.size() - 1);
  tensor.planes.push_back({kind, segment, offset.value(), plane.size, 0, plane.row_bytes});
  plane_filled_ = 0;
  state_ = State::kPlane;
  return {};
}

Status ModelWriter::append(std::span<const std::byte> bytes) {
  SCROOGE_RETURN_IF_ERROR(require(State::kPlane, "append"));
  const TensorRecord& tensor = metadata_.tensors.back();
  const PlaneRecord& plane = tensor.planes.back();
  if (bytes.size() > plane.size - plane_filled_) {
    return stick(error(StatusCode::kInvalidArgument, file_.path(), ": tensor \"", printable(tensor.description.name),
                       "\": more than ", plane.size, " bytes for its ", plane_kind_name(plane.kind), " plane"));
  }
  SCROOGE_RETURN_IF_ERROR(stick(file_.write_at(plane.offset + plane_filled_, bytes)));
  plane_hash_.update(bytes);
  plane_filled_ += bytes.size();
  return {};
}

Status ModelWriter::end_plane() {
  SCROOGE_RETURN_IF_ERROR(require(State::kPlane, "end_plane"));
  TensorRecord& tensor = metadata_.tensors.back();
  PlaneRecord& plane = tensor.planes.back();
  if (plane_filled_ != plane.size) {
    return stick(error(StatusCode::kInvalidArgument, file_.path(), ": tensor \"", printable(tensor.description.name),
                       "\": ", plane_filled_, " of ", plane.size, " bytes for its ", plane_kind_name(plane.kind),
                       " plane"));
  }
  plane.xxh64 = plane_hash_.finish();
  state_ = State::kTensor;
  return {};
}

Status ModelWriter::end_tensor() {
  SCROOGE_RETURN_IF_ERROR(require(State::kTensor, "end_tensor"));
  const TensorRecord& tensor = metadata_.tensors.back();
  if (tensor.planes.size() != geometry_.size()) {
    return stick(error(StatusCode::kInvalidArgument, file_.path(), ": tensor \"", printable(tensor.description.name),
                       "\" lacks its ", plane_kind_name(geometry_[tensor.planes.size()].kind), " plane"));
  }
  state_ = State::kSegment;
  return {};
}

Status ModelWriter::end_segment() {
  SCROOGE_RETURN_IF_ERROR(require(State::kSegment, "end_segment"));
  close_segment();
  state_ = State::kIdle;
  return {};
}

Status ModelWriter::add_tensor(TensorDescription description, std::span<const PlaneBytes> planes) {
  SCROOGE_RETURN_IF_ERROR(begin_tensor(std::move(description)));
  for (const PlaneBytes& plane : planes) {
    SCROOGE_RETURN_IF_ERROR(begin_plane(plane.kind));
    SCROOGE_RETURN_IF_ERROR(append(plane.bytes));
    SCROOGE_RETURN_IF_ERROR(end_plane());
  }
  return end_tensor();
}

Status ModelWriter::add_blob(SegmentKind kind, std::string name, std::span<const std::byte> bytes) {
  return add_blob(kind, std::move(name), bytes.size(), [&](uint64_t offset, std::span<std::byte> out) {
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
    return Status();
  });
}

Status ModelWriter::add_blob(SegmentKind kind, std::string name, uint64_t size,
                             const std::function<Status(uint64_t offset, std::span<std::byte> out)>& read) {
  constexpr uint64_t kPieceBytes = 1 << 20;
  SCROOGE_RETURN_IF_ERROR(require(State::kIdle, "add_blob"));
  if (!is_known(kind) || !is_blob(kind)) {
    return stick(error(StatusCode::kInvalidArgument, file_.path(), ": \"", printable(name),
                       "\" is not of a kind that holds raw bytes; use begin_segment"));
  }
  SCROOGE_RETURN_IF_ERROR(stick(start_segment(std::move(name), kind)));
  (void)cursor_.place(size);
  if (!cursor_.end().fits_in(INT64_MAX)) {
    return stick(error(StatusCode::kInvalidArgument, file_.path(), ": the file is too large"));
  }
  SegmentRecord& segment = metadata_.segments.back();
  std::vector<std::byte> piece;
  Xxh64 hash;
  for (uint64_t done = 0; done < size; done += piece.size()) {
    piece.resize(static_cast<size_t>(std::min(kPieceBytes, size - done)));
    SCROOGE_RETURN_IF_ERROR(stick(read(done, piece)));
    SCROOGE_RETURN_IF_ERROR(stick(file_.write_at(segment.offset + done, piece)));
    hash.update(piece);
  }
  segment.xxh64 = hash.finish();
  close_segment();
  return {};
}

Status ModelWriter::finish(const ModelInfo& info) {
  SCROOGE_RETURN_IF_ERROR(require(State::kIdle, "finish"));
  SCROOGE_RETURN_IF_ERROR(stick(publish(info)));
  state_ = State::kFinished;
  return {};
}

Status ModelWriter::publish(const ModelInfo& info) {
  metadata_.info = info;
  settle_features(metadata_);
  auto index = encode_metadata(metadata_);
  if (!index.ok()) return index.status().with_context(file_.path());
  const CheckedSize offset = cursor_.next_segment();
  (void)cursor_.place(index->size());
  const CheckedSize file_size = cursor_.end().align_up(alignment_.segment());
  if (!file_size.fits_in(INT64_MAX)) {
    return error(StatusCode::kInvalidArgument, file_.path(), ": the file is too large");
  }
  Superblock superblock;
  superblock.version_minor = metadata_.version_minor;
  superblock.alignment = alignment_;
  superblock.meta_offset = offset.value();
  superblock.meta_size = index->size();
  superblock.file_size = file_size.value();
  superblock.meta_xxh64 = static_cast<uint32_t>(xxh64(*index));
  // What the writer publishes, every reader accepts.
  if (Status status = check_metadata(metadata_, superblock, file_.path()); !status.ok()) {
    return Status(StatusCode::kInvalidArgument, std::string(status.message()));
  }
  // Bytes never written are zero in a new file: that is the padding. The superblock comes last.
  SCROOGE_RETURN_IF_ERROR(file_.write_at(superblock.meta_offset, *index));
  SCROOGE_RETURN_IF_ERROR(file_.write_at(0, encode_superblock(superblock)));
  SCROOGE_RETURN_IF_ERROR(file_.commit(superblock.file_size));
  file_size_ = superblock.file_size;
  return {};
}

}  // namespace scrooge::container
