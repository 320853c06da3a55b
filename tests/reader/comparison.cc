// SPDX-License-Identifier: Apache-2.0
#include "tests/reader/comparison.h"

#include <algorithm>

#include "src/container/metadata_check.h"

namespace scrooge::reader_test {
namespace {

using namespace container;  // NOLINT(google-build-using-namespace)

// Collects the first difference.
class Difference {
 public:
  template <typename A, typename B>
  void field(std::string_view name, const A& reader, const B& library) {
    if (!text_.empty() || reader == library) return;
    text_ = concat(where_, " ", name, ": ", reader, " instead of ", library);
  }
  void ok(std::string_view call, scrooge_reader_status status) {
    field(call, std::string_view(scrooge_reader_status_string(status)), std::string_view("no error"));
  }
  void at(std::string where) { where_ = std::move(where); }
  bool found() const { return !text_.empty(); }
  std::string take() { return std::move(text_); }

 private:
  std::string where_;
  std::string text_;
};

void compare_scheme(Difference& out, const scrooge_reader_scheme& scheme, const QuantSpec& spec,
                    const TensorLayout& layout) {
  const bool zeros = has_zeros(spec, layout);
  out.field("bits", scheme.bits, static_cast<uint32_t>(spec.bits));
  out.field("group", scheme.group, static_cast<uint32_t>(spec.group));
  out.field("symmetric", scheme.symmetric != 0, spec.symmetric);
  out.field("scale dtype", static_cast<int>(scheme.scale_dtype), static_cast<int>(spec.scale_dtype));
  out.field("range", scheme.range, static_cast<uint32_t>(spec.range));
  out.field("has_zeros", scheme.has_zeros != 0, zeros);
  out.field("code_bias", scheme.code_bias, zeros ? 0 : spec.symmetric_zero());
  out.field("layout", static_cast<int>(scheme.layout), static_cast<int>(layout.id));
  out.field("layout_rows", scheme.layout_rows, uint32_t{layout.rows});
  out.field("layout_chunk", scheme.layout_chunk, uint32_t{layout.chunk});
}

void compare_segment(Difference& out, const scrooge_reader& reader, uint32_t index, const SegmentRecord& expected) {
  scrooge_reader_segment segment;
  out.ok("get_segment", scrooge_reader_get_segment(&reader, index, &segment));
  if (out.found()) return;
  out.field("name", std::string_view(segment.name), expected.name);
  out.field("kind", static_cast<int>(segment.kind), static_cast<int>(expected.kind));
  out.field("offset", segment.offset, expected.offset);
  out.field("size", segment.size, expected.size);
  out.field("xxh64", segment.xxh64, expected.xxh64);
  out.field("data", static_cast<uint64_t>(segment.data - reader.data), expected.offset);
  scrooge_reader_segment found;
  out.ok("find_segment", scrooge_reader_find_segment(&reader, segment.kind, segment.name, &found));
  if (!out.found()) out.field("found at", found.offset, segment.offset);
}

void compare_tensor(Difference& out, const scrooge_reader& reader, uint32_t index, const TensorRecord& expected) {
  const TensorDescription& description = expected.description;
  scrooge_reader_tensor tensor;
  out.ok("get_tensor", scrooge_reader_get_tensor(&reader, index, &tensor));
  if (out.found()) return;
  out.field("name", std::string_view(tensor.name), description.name);
  out.field("rows", tensor.rows, description.rows);
  out.field("cols", tensor.cols, description.cols);
  out.field("kind", static_cast<int>(tensor.kind), static_cast<int>(description.kind));
  out.field("folded", tensor.folded != 0, description.folded);
  if (description.kind == TensorKind::kQuantized) {
    compare_scheme(out, tensor.scheme, description.spec, description.layout);
    const auto cols = static_cast<int64_t>(description.cols);
    out.field("groups", tensor.groups, static_cast<uint64_t>(description.spec.groups(cols)));
    out.field("group_length", tensor.group_length, static_cast<uint64_t>(description.spec.group_length(cols)));
  } else {
    out.field("dtype", static_cast<int>(tensor.dtype), static_cast<int>(description.dtype));
  }
  out.field("planes", size_t{tensor.plane_count}, expected.planes.size());
  for (size_t i = 0; i < expected.planes.size() && !out.found(); ++i) {
    const scrooge_reader_plane& plane = tensor.planes[i];
    const PlaneRecord& wanted = expected.planes[i];
    out.field("plane kind", static_cast<int>(plane.kind), static_cast<int>(wanted.kind));
    out.field("plane segment", plane.segment, wanted.segment);
    out.field("plane offset", plane.offset, wanted.offset);
    out.field("plane size", plane.size, wanted.size);
    out.field("plane bytes", plane.rows * plane.row_bytes, wanted.size);
    out.field("plane row_bytes", plane.row_bytes, wanted.row_bytes);
    out.field("plane xxh64", plane.xxh64, wanted.xxh64);
    out.field("plane data", static_cast<uint64_t>(plane.data - reader.data), wanted.offset);
    const scrooge_reader_plane* found = nullptr;
    out.ok("get_plane", scrooge_reader_get_plane(&tensor, plane.kind, &found));
    out.field("plane found", found == &plane, true);
  }
  uint32_t found = ~0u;
  out.ok("find_tensor", scrooge_reader_find_tensor(&reader, tensor.name, &found));
  out.field("found at", found, index);
}

}  // namespace

scrooge_reader_status open_and_check(std::span<const std::byte> file, scrooge_reader& reader,
                                     std::vector<scrooge_reader_name>& room) {
  const scrooge_reader_status status = scrooge_reader_open(&reader, file.data(), file.size());
  if (status != SCROOGE_READER_OK) return status;
  room.resize(reader.name_room);
  return scrooge_reader_check(&reader, room.data(), room.size());
}

Result<ModelMetadata> library_reads(std::span<const std::byte> file) {
  const std::string path = "file";
  const auto head = file.first(std::min<size_t>(file.size(), kSuperblockBytes));
  SCROOGE_ASSIGN_OR_RETURN(const Superblock superblock, decode_superblock(head, file.size(), path));
  const auto stored = file.subspan(superblock.meta_offset, superblock.meta_size);
  const Bytes index(stored.begin(), stored.end());
  if (static_cast<uint32_t>(xxh64(index)) != superblock.meta_xxh64) {
    return error(StatusCode::kChecksumMismatch, "the index is damaged");
  }
  SCROOGE_ASSIGN_OR_RETURN(ModelMetadata metadata, decode_metadata(index, path));
  SCROOGE_RETURN_IF_ERROR(check_metadata(metadata, superblock, path));
  return metadata;
}

std::string difference(const scrooge_reader& reader, const ModelMetadata& metadata) {
  Difference out;
  const ModelInfo& info = metadata.info;
  out.at("header");
  out.field("major", reader.version_major, metadata.version_major);
  out.field("minor", reader.version_minor, metadata.version_minor);
  out.field("optional_features", reader.optional_features, info.optional_features);
  out.field("seed", reader.seed, info.seed);
  out.field("architecture", std::string_view(reader.architecture), info.architecture);
  out.field("method", std::string_view(reader.method), info.method);
  out.field("tag", std::string_view(reader.tag), info.tag);
  out.field("propagate", std::string_view(reader.propagate), info.propagate);
  out.field("library_version", std::string_view(reader.library_version), info.library_version);
  out.field("source_format", std::string_view(reader.source_format), info.source_format);
  out.at("scheme");
  compare_scheme(out, reader.scheme, info.spec, info.layout);
  out.field("attributes", size_t{reader.attribute_count}, info.attributes.size());
  for (uint32_t i = 0; i < info.attributes.size() && !out.found(); ++i) {
    const char *key = "", *value = "", *found = nullptr;
    out.at(concat("attribute ", i));
    out.ok("get_attribute", scrooge_reader_get_attribute(&reader, i, &key, &value));
    out.field("key", std::string_view(key), info.attributes[i].key);
    out.field("value", std::string_view(value), info.attributes[i].value);
    out.ok("find_attribute", scrooge_reader_find_attribute(&reader, key, &found));
    out.field("found", found == value, true);
  }
  out.field("segments", size_t{reader.segment_count}, metadata.segments.size());
  for (uint32_t i = 0; i < metadata.segments.size() && !out.found(); ++i) {
    out.at(concat("segment ", i));
    compare_segment(out, reader, i, metadata.segments[i]);
  }
  out.field("tensors", size_t{reader.tensor_count}, metadata.tensors.size());
  for (uint32_t i = 0; i < metadata.tensors.size() && !out.found(); ++i) {
    out.at(concat("tensor ", i));
    compare_tensor(out, reader, i, metadata.tensors[i]);
  }
  return out.take();
}

std::string row_difference(const scrooge_reader& reader, const ModelReader& library) {
  for (uint32_t i = 0; i < library.tensors().size(); ++i) {
    const TensorRecord& record = library.tensors()[i];
    scrooge_reader_tensor tensor;
    if (scrooge_reader_get_tensor(&reader, i, &tensor) != SCROOGE_READER_OK) return record.description.name;
    std::vector<float> ours(record.description.cols), theirs(record.description.cols);
    for (uint64_t row = 0; row < record.description.rows; ++row) {
      const bool read = library.read_rows(record, row, 1, theirs).ok();
      const scrooge_reader_status status = scrooge_reader_dequantize_row(&tensor, row, ours.data(), ours.size());
      if ((status == SCROOGE_READER_OK) != read) {
        return concat(record.description.name, " row ", row, ": ", scrooge_reader_status_string(status));
      }
      if (read && std::memcmp(ours.data(), theirs.data(), ours.size() * sizeof(float)) != 0) {
        return concat(record.description.name, " row ", row, " differs");
      }
    }
  }
  return {};
}

}  // namespace scrooge::reader_test
