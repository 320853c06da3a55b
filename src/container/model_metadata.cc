// SPDX-License-Identifier: Apache-2.0
#include "src/container/model_metadata.h"

#include <algorithm>

namespace scrooge::container {

std::string_view segment_kind_name(SegmentKind kind) {
  switch (kind) {
    case SegmentKind::kBlock: return "block";
    case SegmentKind::kEmbedding: return "embedding";
    case SegmentKind::kHead: return "head";
    case SegmentKind::kExtras: return "extras";
    case SegmentKind::kConfig: return "config";
    case SegmentKind::kTokenizer: return "tokenizer";
    case SegmentKind::kTokenizerConfig: return "tokenizer_config";
    case SegmentKind::kGgufHeader: return "gguf_header";
    case SegmentKind::kOther: return "other";
  }
  return "unknown";
}

std::string_view tensor_kind_name(TensorKind kind) {
  switch (kind) {
    case TensorKind::kDense: return "dense";
    case TensorKind::kQuantized: return "quantized";
    case TensorKind::kAuxiliary: return "auxiliary";
  }
  return "unknown";
}

std::string_view plane_kind_name(PlaneKind kind) {
  switch (kind) {
    case PlaneKind::kData: return "data";
    case PlaneKind::kCodes: return "codes";
    case PlaneKind::kScales: return "scales";
    case PlaneKind::kZeros: return "zeros";
    case PlaneKind::kInputScale: return "input_scale";
  }
  return "unknown";
}

std::string_view range_rule_name(RangeRule rule) {
  switch (rule) {
    case RangeRule::kZeroIncluded: return "zero_included";
    case RangeRule::kMinMax: return "min_max";
    case RangeRule::kFullRange: return "full_range";
  }
  return "unknown";
}

const PlaneRecord* TensorRecord::plane(PlaneKind kind) const {
  for (const PlaneRecord& record : planes) {
    if (record.kind == kind) return &record;
  }
  return nullptr;
}

bool has_layouts(const ModelMetadata& metadata) {
  return !metadata.info.layout.canonical() ||
         std::any_of(metadata.tensors.begin(), metadata.tensors.end(),
                     [](const TensorRecord& tensor) { return !tensor.description.layout.canonical(); });
}

bool has_guard(const ModelMetadata& metadata) {
  const TokenAccounting& tokens = metadata.info.tokens;
  if (tokens.held_out > 0 || tokens.statistics > 0) return true;
  return std::any_of(metadata.info.blocks.begin(), metadata.info.blocks.end(), [](const BlockReport& block) {
    return std::any_of(block.scale_sets.begin(), block.scale_sets.end(),
                       [](const ScaleSetReport& set) { return set.damping != 0; }) ||
           std::any_of(block.linears.begin(), block.linears.end(),
                       [](const LinearReport& linear) { return !linear.rounding.empty(); });
  });
}

void settle_features(ModelMetadata& metadata) {
  uint64_t& features = metadata.info.required_features;
  features = has_layouts(metadata) ? features | kFeatureLayouts : features & ~kFeatureLayouts;
  metadata.version_minor = has_guard(metadata) ? kGuardMinor : has_layouts(metadata) ? kLayoutsMinor : 0;
}

double bits_per_weight(const ModelMetadata& metadata) {
  double bytes = 0;
  double weights = 0;
  for (const TensorRecord& tensor : metadata.tensors) {
    if (tensor.description.kind != TensorKind::kQuantized) continue;
    weights += static_cast<double>(tensor.description.rows) * static_cast<double>(tensor.description.cols);
    for (const PlaneRecord& plane : tensor.planes) {
      if (plane.kind != PlaneKind::kInputScale) bytes += static_cast<double>(plane.size);
    }
  }
  return weights > 0 ? 8 * bytes / weights : 0;
}

}  // namespace scrooge::container
