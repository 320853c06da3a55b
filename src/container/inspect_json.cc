// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "src/base/json.h"
#include "src/container/inspect.h"

namespace scrooge::container {
namespace {

// 64-bit patterns do not survive readers that hold numbers as doubles.
std::string hexadecimal(uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(16, '0');
  for (size_t i = 0; i < 16; ++i) out[i] = kDigits[(value >> (60 - 4 * i)) & 15];
  return out;
}

void write_scheme(JsonWriter& json, const QuantSpec& spec, const TensorLayout& layout) {
  json.begin_object()
      .field("bits", spec.bits)
      .field("group", spec.group)
      .field("symmetric", spec.symmetric)
      .field("scale_dtype", dtype_name(spec.scale_dtype))
      .field("range", range_rule_name(spec.range))
      .field("layout", std::string_view(layout_name(layout)));
  if (layout.id == LayoutId::kInterleaved) {
    json.field("layout_rows", static_cast<uint64_t>(layout.rows));
    json.field("layout_chunk", static_cast<uint64_t>(layout.chunk));
  }
  json.end_object();
}

void write_sources(JsonWriter& json, const ModelInfo& info) {
  json.key("attributes").begin_object();
  for (const Attribute& attribute : info.attributes) json.field(attribute.key, std::string_view(attribute.value));
  json.end_object();
  json.key("sources").begin_array();
  for (const Source& source : info.sources) {
    json.begin_object();
    json.field("name", std::string_view(source.name)).field("size", source.size);
    json.field("sha256", std::string_view(source.sha256)).end_object();
  }
  json.end_array();
  json.key("tokens").begin_object();
  json.field("used", info.tokens.used).field("dropped", info.tokens.dropped);
  json.field("rows", info.tokens.rows).field("length", info.tokens.length);
  json.field("held_out", info.tokens.held_out).field("statistics", info.tokens.statistics).end_object();
}

void write_segments(JsonWriter& json, const ModelMetadata& metadata) {
  json.key("segments").begin_array();
  for (const SegmentRecord& segment : metadata.segments) {
    json.begin_object();
    json.field("name", std::string_view(segment.name)).field("kind", segment_kind_name(segment.kind));
    json.field("offset", segment.offset).field("size", segment.size);
    if (is_blob(segment.kind)) json.field("xxh64", std::string_view(hexadecimal(segment.xxh64)));
    json.end_object();
  }
  json.end_array();
}

void write_tensor(JsonWriter& json, const TensorRecord& tensor) {
  const TensorDescription& description = tensor.description;
  json.begin_object();
  json.field("name", std::string_view(description.name)).field("kind", tensor_kind_name(description.kind));
  json.key("shape").begin_array().value(description.rows).value(description.cols).end_array();
  if (description.kind == TensorKind::kQuantized) {
    json.key("scheme");
    write_scheme(json, description.spec, description.layout);
    json.field("folded", description.folded);
  } else {
    json.field("dtype", dtype_name(description.dtype));
  }
  json.key("planes").begin_array();
  for (const PlaneRecord& plane : tensor.planes) {
    json.begin_object();
    json.field("kind", plane_kind_name(plane.kind)).field("segment", static_cast<uint64_t>(plane.segment));
    json.field("offset", plane.offset).field("size", plane.size).field("row_bytes", plane.row_bytes);
    json.field("xxh64", std::string_view(hexadecimal(plane.xxh64))).end_object();
  }
  json.end_array().end_object();
}

void write_linear(JsonWriter& json, const LinearReport& linear) {
  json.begin_object();
  json.field("name", std::string_view(linear.name)).field("loss_rtn", linear.loss_rtn).field("loss", linear.loss);
  json.field("fell_back", linear.fell_back).field("rounding", std::string_view(linear.rounding));
  json.key("clip_histogram").begin_array();
  for (const uint32_t count : linear.clip_histogram) json.value(static_cast<uint64_t>(count));
  json.end_array().key("clip_candidates").begin_array();
  for (const float candidate : linear.clip_candidates) json.value(static_cast<double>(candidate));
  json.end_array().end_object();
}

void write_block(JsonWriter& json, const BlockReport& block) {
  json.begin_object();
  json.field("index", static_cast<uint64_t>(block.index)).field("tokens", block.tokens);
  json.key("scale_sets").begin_array();
  for (const ScaleSetReport& set : block.scale_sets) {
    json.begin_object();
    json.field("name", std::string_view(set.name)).field("producer", std::string_view(set.producer));
    json.field("candidate", std::string_view(set.candidate)).field("alpha", set.alpha);
    json.field("loss_identity", set.loss_identity).field("loss_chosen", set.loss_chosen);
    json.field("damping", set.damping);
    json.field("scale_tensor", std::string_view(set.scale_tensor)).end_object();
  }
  json.end_array().key("linears").begin_array();
  for (const LinearReport& linear : block.linears) write_linear(json, linear);
  json.end_array().end_object();
}

}  // namespace

std::string inspect_json(const ModelReader& reader) {
  const ModelMetadata& metadata = reader.metadata();
  const ModelInfo& info = metadata.info;
  JsonWriter json;
  json.begin_object();
  // File names need not be UTF-8.
  json.field("file", std::string_view(printable(reader.path())));
  json.field("format", std::string_view(concat(metadata.version_major, ".", metadata.version_minor)));
  json.field("file_size", reader.superblock().file_size).field("index_size", reader.superblock().meta_size);
  json.field("segment_alignment", reader.superblock().alignment.segment());
  json.field("plane_alignment", reader.superblock().alignment.plane());
  json.field("required_features", std::string_view(hexadecimal(info.required_features)));
  json.field("optional_features", std::string_view(hexadecimal(info.optional_features)));
  json.field("tag", std::string_view(info.tag)).field("architecture", std::string_view(info.architecture));
  json.field("method", std::string_view(info.method)).key("scheme");
  write_scheme(json, info.spec, info.layout);
  json.field("bits_per_weight", bits_per_weight(metadata));
  json.field("seed", info.seed).field("grid", static_cast<uint64_t>(info.grid));
  json.field("propagate", std::string_view(info.propagate));
  json.field("library_version", std::string_view(info.library_version));
  json.field("source_format", std::string_view(info.source_format));
  write_sources(json, info);
  write_segments(json, metadata);
  json.key("tensors").begin_array();
  for (const TensorRecord& tensor : metadata.tensors) write_tensor(json, tensor);
  json.end_array().key("blocks").begin_array();
  for (const BlockReport& block : info.blocks) write_block(json, block);
  json.end_array().end_object();
  return json.text();
}

}  // namespace scrooge::container
