// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "schema/scrooge_model_generated.h"
#include "src/container/metadata_codec.h"

namespace scrooge::container {
namespace {

namespace fb = ::flatbuffers;

// All tables of a list, then the vector of their offsets.
template <typename Table, typename Items, typename Encode>
fb::Offset<fb::Vector<fb::Offset<Table>>> encode_list(fb::FlatBufferBuilder& builder, const Items& items,
                                                      Encode encode) {
  std::vector<fb::Offset<Table>> offsets;
  offsets.reserve(items.size());
  for (const auto& item : items) offsets.push_back(encode(builder, item));
  return builder.CreateVector(offsets);
}

// The fields of a layout's parameters are there only where it has some: files of version 1.0 stay what they were. So
// are those that version 1.2 brought, below.
fb::Offset<format::Scheme> encode_scheme(fb::FlatBufferBuilder& builder, const QuantSpec& spec,
                                         const TensorLayout& layout) {
  const bool zeros = has_zeros(spec, layout);
  format::SchemeBuilder scheme(builder);
  scheme.add_code_bias(zeros ? 0 : spec.symmetric_zero());
  scheme.add_zero_bias(0);
  scheme.add_group(static_cast<uint32_t>(spec.group));
  if (!layout.canonical()) {
    scheme.add_layout_chunk(layout.chunk);
    scheme.add_layout_rows(layout.rows);
  }
  scheme.add_layout_version(kLayoutVersion);
  scheme.add_layout_id(static_cast<uint16_t>(layout.id));
  scheme.add_zero_kind(zeros ? format::ZeroKind::integer : format::ZeroKind::none);
  scheme.add_range(static_cast<format::RangeRule>(spec.range));
  scheme.add_scale_dtype(static_cast<format::DataType>(spec.scale_dtype));
  scheme.add_symmetric(spec.symmetric);
  scheme.add_axis(1);
  scheme.add_bits(static_cast<uint8_t>(spec.bits));
  return scheme.Finish();
}

fb::Offset<format::KeyValue> encode_attribute(fb::FlatBufferBuilder& builder, const Attribute& attribute) {
  const auto key = builder.CreateString(attribute.key);
  const auto value = builder.CreateString(attribute.value);
  return format::CreateKeyValue(builder, key, value);
}

fb::Offset<format::Source> encode_source(fb::FlatBufferBuilder& builder, const Source& source) {
  const auto name = builder.CreateString(source.name);
  const auto sha256 = builder.CreateString(source.sha256);
  return format::CreateSource(builder, name, source.size, sha256);
}

fb::Offset<format::Segment> encode_segment(fb::FlatBufferBuilder& builder, const SegmentRecord& segment) {
  const auto name = builder.CreateString(segment.name);
  return format::CreateSegment(builder, name, static_cast<format::SegmentKind>(segment.kind), segment.offset,
                               segment.size, segment.xxh64);
}

fb::Offset<format::Plane> encode_plane(fb::FlatBufferBuilder& builder, const PlaneRecord& plane) {
  return format::CreatePlane(builder, static_cast<format::PlaneKind>(plane.kind), plane.segment, plane.offset,
                             plane.size, plane.xxh64, plane.row_bytes);
}

fb::Offset<format::Tensor> encode_tensor(fb::FlatBufferBuilder& builder, const TensorRecord& tensor) {
  const TensorDescription& description = tensor.description;
  const auto name = builder.CreateString(description.name);
  fb::Offset<format::Scheme> scheme;
  if (description.kind == TensorKind::kQuantized) scheme = encode_scheme(builder, description.spec, description.layout);
  const auto planes = encode_list<format::Plane>(builder, tensor.planes, encode_plane);
  return format::CreateTensor(builder, name, description.rows, description.cols,
                              static_cast<format::TensorKind>(description.kind),
                              static_cast<format::DataType>(description.dtype), scheme, planes, description.folded);
}

fb::Offset<format::Tokens> encode_tokens(fb::FlatBufferBuilder& builder, const TokenAccounting& tokens) {
  format::TokensBuilder table(builder);
  if (tokens.statistics != 0) table.add_statistics(tokens.statistics);
  if (tokens.held_out != 0) table.add_held_out(tokens.held_out);
  table.add_length(tokens.length);
  table.add_rows(tokens.rows);
  table.add_dropped(tokens.dropped);
  table.add_used(tokens.used);
  return table.Finish();
}

fb::Offset<format::ScaleSet> encode_scale_set(fb::FlatBufferBuilder& builder, const ScaleSetReport& set) {
  const auto name = builder.CreateString(set.name);
  const auto producer = builder.CreateString(set.producer);
  const auto candidate = builder.CreateString(set.candidate);
  const auto scale_tensor = builder.CreateString(set.scale_tensor);
  format::ScaleSetBuilder table(builder);
  if (set.damping != 0) table.add_damping(set.damping);
  table.add_loss_chosen(set.loss_chosen);
  table.add_loss_identity(set.loss_identity);
  table.add_alpha(set.alpha);
  table.add_scale_tensor(scale_tensor);
  table.add_candidate(candidate);
  table.add_producer(producer);
  table.add_name(name);
  return table.Finish();
}

fb::Offset<format::Linear> encode_linear(fb::FlatBufferBuilder& builder, const LinearReport& linear) {
  const auto name = builder.CreateString(linear.name);
  const auto histogram = builder.CreateVector(linear.clip_histogram);
  const auto candidates = builder.CreateVector(linear.clip_candidates);
  fb::Offset<fb::String> rounding;
  if (!linear.rounding.empty()) rounding = builder.CreateSharedString(linear.rounding);
  return format::CreateLinear(builder, name, linear.loss_rtn, linear.loss, linear.fell_back, histogram, candidates,
                              rounding);
}

fb::Offset<format::Block> encode_block(fb::FlatBufferBuilder& builder, const BlockReport& block) {
  const auto sets = encode_list<format::ScaleSet>(builder, block.scale_sets, encode_scale_set);
  const auto linears = encode_list<format::Linear>(builder, block.linears, encode_linear);
  return format::CreateBlock(builder, block.index, block.tokens, sets, linears);
}

fb::Offset<format::Model> encode_model(fb::FlatBufferBuilder& builder, const ModelMetadata& metadata) {
  const ModelInfo& info = metadata.info;
  const auto tag = builder.CreateString(info.tag);
  const auto architecture = builder.CreateString(info.architecture);
  const auto method = builder.CreateString(info.method);
  const auto scheme = encode_scheme(builder, info.spec, info.layout);
  const auto propagate = builder.CreateString(info.propagate);
  const auto attributes = encode_list<format::KeyValue>(builder, info.attributes, encode_attribute);
  const auto library = builder.CreateString(info.library_version);
  const auto source_format = builder.CreateString(info.source_format);
  const auto sources = encode_list<format::Source>(builder, info.sources, encode_source);
  const auto tokens = encode_tokens(builder, info.tokens);
  const auto segments = encode_list<format::Segment>(builder, metadata.segments, encode_segment);
  const auto tensors = encode_list<format::Tensor>(builder, metadata.tensors, encode_tensor);
  const auto blocks = encode_list<format::Block>(builder, info.blocks, encode_block);
  return format::CreateModel(builder, metadata.version_major, metadata.version_minor, info.required_features,
                             info.optional_features, tag, architecture, method, scheme, info.seed, info.grid, propagate,
                             attributes, library, source_format, sources, tokens, segments, tensors, blocks);
}

// A lower bound of the encoded size, so that the builder's own 2 GiB limit is never met.
uint64_t text_and_list_bytes(const ModelMetadata& metadata) {
  uint64_t bytes = 0;
  for (const Attribute& attribute : metadata.info.attributes) bytes += attribute.key.size() + attribute.value.size();
  for (const TensorRecord& tensor : metadata.tensors) bytes += tensor.description.name.size() + 64;
  for (const BlockReport& block : metadata.info.blocks) {
    for (const LinearReport& linear : block.linears) {
      bytes += linear.name.size() + 4 * (linear.clip_histogram.size() + linear.clip_candidates.size());
    }
  }
  return bytes;
}

}  // namespace

Result<std::vector<std::byte>> encode_metadata(const ModelMetadata& metadata) {
  const auto too_large = [] {
    return error(StatusCode::kInvalidArgument, "the index would be above ", kMaxMetadataBytes,
                 " bytes; store fewer attributes or reports");
  };
  if (text_and_list_bytes(metadata) > kMaxMetadataBytes) return too_large();
  fb::FlatBufferBuilder builder(64 << 10);
  builder.ForceDefaults(true);  // zeros take their bytes, so that sizes do not depend on values
  builder.Finish(encode_model(builder, metadata), format::ModelIdentifier());
  if (builder.GetSize() > kMaxMetadataBytes) return too_large();
  const auto* begin = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return std::vector<std::byte>(begin, begin + builder.GetSize());
}

}  // namespace scrooge::container
