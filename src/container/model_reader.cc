// SPDX-License-Identifier: Apache-2.0
#include "src/container/model_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "src/base/checked_size.h"
#include "src/base/digest.h"
#include "src/container/dequantize.h"
#include "src/container/metadata_check.h"
#include "src/container/metadata_codec.h"
#include "src/container/payload_check.h"

namespace scrooge::container {
namespace {

constexpr uint64_t kBatchBytes = 256 << 10;
// AutoAWQ's planes run along the rows: a batch is a read for each column, so it has more of them.
constexpr uint64_t kAcrossBytes = 1 << 20;

}  // namespace

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
  std::array<std::byte, kSuperblockBytes> start{};
  const std::span head = std::span(start).first(std::min<uint64_t>(start.size(), reader.file_.size()));
  SCROOGE_RETURN_IF_ERROR(reader.file_.read(0, head));
  SCROOGE_ASSIGN_OR_RETURN(reader.superblock_, decode_superblock(head, reader.file_.size(), reader.path()));
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
  std::vector<std::byte> index(superblock_.meta_size);
  SCROOGE_RETURN_IF_ERROR(file_.read(superblock_.meta_offset, index));
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

Result<std::optional<std::string>> ModelReader::read_blob(SegmentKind kind) const {
  for (const SegmentRecord& segment : metadata_.segments) {
    if (!is_blob(segment.kind) || segment.kind != kind) continue;
    std::string content(segment.size, '\0');
    SCROOGE_RETURN_IF_ERROR(file_.read(segment.offset, std::as_writable_bytes(std::span(content))));
    return std::optional(std::move(content));
  }
  return std::optional<std::string>();
}

Status ModelReader::read_rows(const TensorRecord& tensor, uint64_t first, uint64_t count, std::span<float> out) const {
  const TensorDescription& description = tensor.description;
  const CheckedSize wanted = CheckedSize(count) * description.cols;
  if (!CheckedSize(first).range_fits(count, description.rows) || !wanted.valid() || wanted.value() != out.size()) {
    return error(StatusCode::kInvalidArgument, path(), ": tensor \"", printable(description.name), "\": ", count,
                 " rows from ", first, " into ", out.size(), " floats do not fit its shape ", description.rows, " x ",
                 description.cols);
  }
  uint64_t row_bytes = 1;
  for (const PlaneRecord& plane : tensor.planes) {
    const bool canonical_rows = description.kind != TensorKind::kQuantized || plane.kind == PlaneKind::kInputScale;
    row_bytes = std::max(row_bytes, canonical_rows ? plane.row_bytes : PlaneCodec(description, plane.kind).row_bytes());
  }
  const uint64_t granule = row_granule(description.layout);
  const uint64_t room = description.layout.id == LayoutId::kAwq ? kAcrossBytes : kBatchBytes;
  const uint64_t batch = std::max<uint64_t>(1, room / row_bytes / granule) * granule;
  // Batches end where the layout can be cut, wherever the first begins.
  for (uint64_t done = 0; done < count;) {
    const uint64_t now = std::min(batch - (first + done) % granule, count - done);
    const std::span<float> part = out.subspan(done * description.cols, now * description.cols);
    if (const Status status = read_some_rows(tensor, first + done, now, part); !status.ok()) {
      return status.with_context(concat("tensor \"", printable(description.name), "\""));
    }
    done += now;
  }
  return {};
}

Status ModelReader::read_region(const TensorRecord& tensor, PlaneKind kind, const PlaneCodec& codec,
                                const PlaneRegion& region, std::span<std::byte> out) const {
  const PlaneRecord& plane = *tensor.plane(kind);
  return codec.read(
      region, [&](uint64_t offset, std::span<std::byte> bytes) { return read_stored(plane, offset, bytes); }, out);
}

Status ModelReader::read_quantized_rows(const TensorRecord& tensor, uint64_t first, uint64_t count,
                                        std::span<float> out) const {
  const TensorDescription& description = tensor.description;
  // The layout gives whole granules.
  const uint64_t granule = row_granule(description.layout);
  const uint64_t before = first % granule;
  const uint64_t whole =
      std::min((before + count + granule - 1) / granule * granule, description.rows - (first - before));
  struct Rows {
    std::vector<std::byte> bytes;
    std::span<const std::byte> wanted;
  };
  const auto rows_of = [&](PlaneKind kind, Rows& rows) -> Status {
    if (tensor.plane(kind) == nullptr) return {};
    const PlaneCodec codec(description, kind);
    rows.bytes.resize(whole * codec.row_bytes());
    SCROOGE_RETURN_IF_ERROR(
        read_region(tensor, kind, codec, {first - before, whole, 0, codec.row_bytes()}, rows.bytes));
    rows.wanted = std::span(rows.bytes).subspan(before * codec.row_bytes(), count * codec.row_bytes());
    return {};
  };
  Rows codes, scales, zeros;
  SCROOGE_RETURN_IF_ERROR(rows_of(PlaneKind::kCodes, codes));
  SCROOGE_RETURN_IF_ERROR(rows_of(PlaneKind::kScales, scales));
  SCROOGE_RETURN_IF_ERROR(rows_of(PlaneKind::kZeros, zeros));
  std::vector<std::byte> input_scale;
  if (const PlaneRecord* plane = tensor.plane(PlaneKind::kInputScale); plane != nullptr && !description.folded) {
    input_scale.resize(plane->size);
    SCROOGE_RETURN_IF_ERROR(read_stored(*plane, 0, input_scale));
  }
  dequantize_rows({codes.wanted, scales.wanted, zeros.wanted, input_scale}, description.spec, description.cols, out);
  return {};
}

Status ModelReader::read_some_rows(const TensorRecord& tensor, uint64_t first, uint64_t count,
                                   std::span<float> out) const {
  const TensorDescription& description = tensor.description;
  if (description.kind == TensorKind::kQuantized) return read_quantized_rows(tensor, first, count, out);
  const PlaneRecord& plane = *tensor.plane(PlaneKind::kData);
  std::vector<std::byte> data(count * plane.row_bytes);
  SCROOGE_RETURN_IF_ERROR(read_stored(plane, first * plane.row_bytes, data));
  if (!convert_to_f32(data, description.dtype, out)) {
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
