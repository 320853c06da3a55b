// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "src/container/inspect.h"

namespace scrooge::container {
namespace {

// "w4 g128 asymmetric, scales f16", and the layout where it is not the canonical one.
std::string scheme_text(const QuantSpec& spec, const TensorLayout& layout) {
  const std::string group = spec.group == 0 ? std::string("per row") : concat("g", spec.group);
  return concat("w", spec.bits, " ", group, spec.symmetric ? " symmetric" : " asymmetric", ", scales ",
                dtype_name(spec.scale_dtype), layout.canonical() ? "" : ", layout ",
                layout.canonical() ? "" : layout_name(layout));
}

void append_line(std::string& out, std::string_view label, std::string_view content) {
  out += concat(label, std::string(label.size() < 16 ? 16 - label.size() : 1, ' '), printable(content), "\n");
}

void append_heading(std::string& out, const ModelReader& reader) {
  const ModelMetadata& metadata = reader.metadata();
  const ModelInfo& info = metadata.info;
  const Superblock& superblock = reader.superblock();
  append_line(out, "file", reader.path());
  append_line(out, "format",
              concat(metadata.version_major, ".", metadata.version_minor, ", segments on ",
                     superblock.alignment.segment(), " bytes, planes on ", superblock.alignment.plane()));
  append_line(out, "size",
              concat(format_bytes(superblock.file_size), " (", superblock.file_size, " bytes, index ",
                     superblock.meta_size, ")"));
  append_line(out, "tag", info.tag);
  append_line(out, "architecture", info.architecture);
  append_line(
      out, "method",
      concat(info.method, ", ", scheme_text(info.spec, info.layout), ", range ", range_rule_name(info.spec.range),
             ", grid ", info.grid, ", seed ", info.seed, ", propagate ", info.propagate));
  append_line(out, "bits per weight", format_fixed(bits_per_weight(metadata), 3));
  append_line(out, "made by", concat("scrooge ", info.library_version, " from ", info.source_format));
  const TokenAccounting& tokens = info.tokens;
  std::string guard;
  if (tokens.statistics > 0) {
    guard = concat("; ", tokens.statistics, " in the statistics, ", tokens.held_out, " held out");
  }
  append_line(
      out, "tokens",
      concat(tokens.used, " used, ", tokens.dropped, " dropped, ", tokens.rows, " rows of ", tokens.length, guard));
}

// Of a stage that was worse than round-to-nearest somewhere; which remedy was taken shows where the rounding is known.
std::string_view fall_back_text(const LinearReport& linear) {
  if (!linear.fell_back) return "";
  if (linear.rounding.empty()) return ", its stage fell back";
  return linear.rounding == "nearest" && linear.loss == linear.loss_rtn ? ", its stage fell back to round-to-nearest"
                                                                        : ", its stage fell back to unscaled weights";
}

void append_segments(std::string& out, const ModelMetadata& metadata) {
  out += concat("segments (", metadata.segments.size(), ")\n");
  for (const SegmentRecord& segment : metadata.segments) {
    out += concat("  ", printable(segment.name), ": ", segment_kind_name(segment.kind), ", ",
                  format_bytes(segment.size), " at ", segment.offset, "\n");
  }
}

void append_tensors(std::string& out, const ModelMetadata& metadata) {
  out += concat("tensors (", metadata.tensors.size(), ")\n");
  for (const TensorRecord& tensor : metadata.tensors) {
    const TensorDescription& description = tensor.description;
    const bool quantized = description.kind == TensorKind::kQuantized;
    uint64_t bytes = 0;
    for (const PlaneRecord& plane : tensor.planes) bytes += plane.size;
    out += concat(
        "  ", printable(description.name), ": ", tensor_kind_name(description.kind), " ", description.rows, " x ",
        description.cols, ", ",
        quantized ? scheme_text(description.spec, description.layout) : std::string(dtype_name(description.dtype)),
        ", ", format_bytes(bytes), description.input_scale ? ", input scale" : "", description.folded ? ", folded" : "",
        "\n");
  }
}

void append_blocks(std::string& out, const ModelInfo& info) {
  out += concat("blocks (", info.blocks.size(), ")\n");
  for (const BlockReport& block : info.blocks) {
    out += concat("  block ", block.index, ": ", block.tokens, " tokens\n");
    for (const ScaleSetReport& set : block.scale_sets) {
      out += concat("    scales ", printable(set.name), " <- ", printable(set.producer), ": ", printable(set.candidate),
                    ", alpha ", set.alpha, ", loss ", set.loss_identity, " -> ", set.loss_chosen,
                    set.damping > 0 ? concat(", damping ", set.damping) : "", "\n");
    }
    for (const LinearReport& linear : block.linears) {
      out += concat("    linear ", printable(linear.name), ": loss ", linear.loss_rtn, " -> ", linear.loss,
                    linear.rounding.empty() ? "" : ", rounding ", printable(linear.rounding), fall_back_text(linear),
                    "\n");
    }
  }
}

}  // namespace

std::string inspect_text(const ModelReader& reader) {
  const ModelMetadata& metadata = reader.metadata();
  const ModelInfo& info = metadata.info;
  std::string out;
  append_heading(out, reader);
  out += concat("sources (", info.sources.size(), ")\n");
  for (const Source& source : info.sources) {
    out += concat("  ", printable(source.name), ": ", format_bytes(source.size), ", sha256 ",
                  source.sha256.empty() ? std::string_view("not computed") : std::string_view(source.sha256), "\n");
  }
  out += concat("attributes (", info.attributes.size(), ")\n");
  for (const Attribute& attribute : info.attributes) {
    out += concat("  ", printable(attribute.key), " = ", printable(attribute.value), "\n");
  }
  append_segments(out, metadata);
  append_tensors(out, metadata);
  append_blocks(out, info);
  return out;
}

}  // namespace scrooge::container
