// SPDX-License-Identifier: Apache-2.0
#include "src/container/model_reader.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "src/base/checked_size.h"
#include "src/base/digest.h"
#include "src/container/dequantize.h"
#include "src/container/metadata_check.h"
#include "src/container/metadata_codec.h"
#include "src/container/payload_check.h"

namespace scrooge::container {

Result<ModelReader> ModelReader::open(const std::string& path, OpenLevel level) {
  SCROOGE_ASSIGN_OR_RETURN(FileMap file, FileMap::open(path));
  return open(std::move(file), level);
}

Result<ModelReader> ModelReader::open(FileMap file, OpenLevel level) {
  if (std::endian::native != std::endian::little) {
    return error(StatusCode::kUnsupported, file.path(), ": .scrooge files are read on little-endian machines only");
  }
  ModelReader reader;
  reader.file_ = std::move(file);
  SCROOGE_ASSIGN_OR_RETURN(reader.superblock_, decode_superblock(reader.file_.bytes(), reader.path()));
  // Offsets are aligned in the file; planes are aligned in memory only when the map itself is.
  if (std::bit_cast<uintptr_t>(reader.file_.bytes().data()) % (uint64_t{1} << 8) != 0) {
    return error(StatusCode::kUnsupported, reader.path(), ": the map of the file is not aligned to 256 bytes");
  }
  if (level >= OpenLevel::kStructure) SCROOGE_RETURN_IF_ERROR(reader.load_index());
  if (level >= OpenLevel::kChecksums) {
    SCROOGE_RETURN_IF_ERROR(check_payload(reader.file_, reader.metadata_, reader.superblock_));
  }
  return reader;
}

Status ModelReader::load_index() {
  const auto index = bytes(superblock_.meta_offset, superblock_.meta_size);
  if (static_cast<uint32_t>(xxh64(index)) != superblock_.meta_xxh64) {
    return error(StatusCode::kChecksumMismatch, path(), ": the index at byte ", superblock_.meta_offset,
                 " does not match its checksum; fetch the file again");
  }
  SCROOGE_ASSIGN_OR_RETURN(metadata_, decode_metadata(index, path()));
  SCROOGE_RETURN_IF_ERROR(check_metadata(metadata_, superblock_, path()));
  by_name_.resize(metadata_.tensors.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::sort(by_name_.begin(), by_name_.end(), [this](uint32_t a, uint32_t b) {
    return metadata_.tensors[a].description.name < metadata_.tensors[b].description.name;
  });
  return {};
}

std::span<const std::byte> ModelReader::bytes(uint64_t offset, uint64_t size) const {
  return file_.bytes().subspan(offset, size);
}

const TensorRecord* ModelReader::find(std::string_view name) const {
  const auto name_of = [this](uint32_t index) { return std::string_view(metadata_.tensors[index].description.name); };
  const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                      [&](uint32_t index, std::string_view wanted) { return name_of(index) < wanted; });
  return found != by_name_.end() && name_of(*found) == name ? &metadata_.tensors[*found] : nullptr;
}

std::span<const std::byte> ModelReader::plane(const TensorRecord& tensor, PlaneKind kind) const {
  const PlaneRecord* record = tensor.plane(kind);
  return record == nullptr ? std::span<const std::byte>() : bytes(record->offset, record->size);
}

std::optional<std::span<const std::byte>> ModelReader::blob(SegmentKind kind) const {
  for (const SegmentRecord& segment : metadata_.segments) {
    if (is_blob(segment.kind) && segment.kind == kind) return bytes(segment.offset, segment.size);
  }
  return std::nullopt;
}

std::optional<std::span<const std::byte>> ModelReader::blob(SegmentKind kind, std::string_view name) const {
  for (const SegmentRecord& segment : metadata_.segments) {
    if (is_blob(segment.kind) && segment.kind == kind && segment.name == name) {
      return bytes(segment.offset, segment.size);
    }
  }
  return std::nullopt;
}

Status ModelReader::read_rows(const TensorRecord& tensor, uint64_t first, uint64_t count, std::span<float> out) const {
  const TensorDescription& description = tensor.description;
  const CheckedSize wanted = CheckedSize(count) * description.cols;
  if (!CheckedSize(first).range_fits(count, description.rows) || !wanted.valid() || wanted.value() != out.size()) {
    return error(StatusCode::kInvalidArgument, path(), ": tensor \"", printable(description.name), "\": ", count,
                 " rows from ", first, " into ", out.size(), " floats do not fit its shape ", description.rows, " x ",
                 description.cols);
  }
  const auto rows_of = [&](PlaneKind kind) {
    const PlaneRecord* record = tensor.plane(kind);
    if (record == nullptr) return std::span<const std::byte>();
    return bytes(record->offset + first * record->row_bytes, count * record->row_bytes);
  };
  if (description.kind == TensorKind::kQuantized) {
    QuantizedRows rows{rows_of(PlaneKind::kCodes), rows_of(PlaneKind::kScales), rows_of(PlaneKind::kZeros), {}};
    if (!description.folded) rows.input_scale = plane(tensor, PlaneKind::kInputScale);
    dequantize_rows(rows, description.spec, description.cols, out);
    return {};
  }
  if (!convert_to_f32(rows_of(PlaneKind::kData), description.dtype, out)) {
    return error(StatusCode::kUnsupported, path(), ": tensor \"", printable(description.name), "\" holds raw ",
                 dtype_name(description.dtype), " bytes; read its data plane instead");
  }
  return {};
}

void ModelReader::prefetch(const TensorRecord& tensor) const {
  for (const PlaneRecord& plane : tensor.planes) file_.prefetch(plane.offset, plane.size);
}

void ModelReader::drop(const TensorRecord& tensor) const {
  for (const PlaneRecord& plane : tensor.planes) file_.drop(plane.offset, plane.size);
}

}  // namespace scrooge::container
