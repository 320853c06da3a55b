// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/output_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/pipeline/stored_floats.h"

namespace scrooge::pipeline {

using container::PlaneKind;
using container::SegmentKind;
using container::SegmentPlan;
using container::TensorDescription;
using container::TensorKind;

namespace {

TensorDescription dense(std::string name, int64_t rows, int64_t cols, DType dtype,
                        TensorKind kind = TensorKind::kDense) {
  TensorDescription description;
  description.name = std::move(name);
  description.rows = static_cast<uint64_t>(rows);
  description.cols = static_cast<uint64_t>(cols);
  description.kind = kind;
  description.dtype = dtype;
  return description;
}

SegmentKind segment_kind(RawFile::Kind kind) {
  switch (kind) {
    case RawFile::Kind::kConfig: return SegmentKind::kConfig;
    case RawFile::Kind::kTokenizer: return SegmentKind::kTokenizer;
    case RawFile::Kind::kTokenizerConfig: return SegmentKind::kTokenizerConfig;
    case RawFile::Kind::kGgufHeader: return SegmentKind::kGgufHeader;
  }
  return SegmentKind::kOther;
}

SegmentPlan block_segment(const ModelSource& source, int64_t block, const OutputFormat& format) {
  const model::BlockPlan& plan = source.block_plan();
  const std::string prefix = model::block_prefix(block);
  SegmentPlan segment{concat("block.", block), SegmentKind::kBlock, {}, 0};
  for (const std::string& norm : plan.norms) {
    segment.tensors.push_back(dense(concat(prefix, norm, ".weight"), 1, source.config().width, DType::kF32));
  }
  for (const model::LinearPlan& linear : plan.linears) {
    segment.tensors.push_back(quantized_description(concat(prefix, linear.name, ".weight"), linear, format));
    if (linear.bias) {
      segment.tensors.push_back(dense(concat(prefix, linear.name, ".bias"), 1, linear.rows, DType::kF32));
    }
  }
  if (format.with_scales) {
    for (const model::StagePlan& stage : plan.stages) {
      segment.tensors.push_back(
          dense(scale_tensor_name(block, stage.name), 1, stage.input, DType::kF32, TensorKind::kAuxiliary));
    }
  }
  return segment;
}

// Values that are NaN or infinite, or become so in the storage type.
uint64_t count_unstorable(std::span<const float> values, DType dtype) {
  const float largest = dtype == DType::kF16 ? 65519.99f : std::numeric_limits<float>::max();
  uint64_t bad = 0;
  for (const float value : values) bad += std::fabs(value) <= largest ? 0 : 1;
  return bad;
}

}  // namespace

std::string scale_tensor_name(int64_t block, std::string_view stage) {
  return concat(model::block_prefix(block), "awq_scale.", stage);
}

std::string output_tag(std::string_view method, const QuantSpec& spec, DType head) {
  const std::string group = spec.group == 0 ? "channel" : concat(spec.group);
  const std::string_view head_name = head == DType::kF32 ? "fp32" : head == DType::kBF16 ? "bf16" : "fp16";
  return concat(method, "_w", spec.bits, "_g", group, spec.symmetric ? "_sym" : "",
                spec.scale_dtype == DType::kBF16 ? "_sbf16" : "", "_head", head_name);
}

std::vector<SegmentPlan> output_segments(const ModelSource& source, const OutputFormat& format) {
  const model::ModelConfig& config = source.config();
  std::vector<SegmentPlan> segments;
  for (const RawFile& file : source.raw_files()) {
    segments.push_back({file.name, segment_kind(file.kind), {}, file.bytes.size()});
  }
  const std::string embedding(model::kEmbeddingName);
  segments.push_back({"embedding",
                      SegmentKind::kEmbedding,
                      {dense(embedding, config.vocabulary, config.width, source.dense_type(embedding))},
                      0});
  for (int64_t block = 0; block < config.blocks; ++block) {
    segments.push_back(block_segment(source, block, format));
  }
  segments.push_back({"final",
                      SegmentKind::kExtras,
                      {dense(std::string(model::kFinalNormName), 1, config.width, DType::kF32),
                       dense(std::string(model::kInvFreqName), 1, config.head_width / 2, DType::kF32)},
                      0});
  if (!config.tied_head) {
    const std::string head(model::kHeadName);
    segments.push_back(
        {"head", SegmentKind::kHead, {dense(head, config.vocabulary, config.width, source.dense_type(head))}, 0});
  }
  return segments;
}

size_t front_segment_count(std::span<const SegmentPlan> segments) {
  const auto first = std::find_if(segments.begin(), segments.end(),
                                  [](const SegmentPlan& segment) { return segment.kind == SegmentKind::kBlock; });
  return static_cast<size_t>(first - segments.begin());
}

Result<OutputFile> OutputFile::create(AtomicFile partial, backend::Device& device, const ModelSource& source,
                                      const OutputFormat& format) {
  SCROOGE_ASSIGN_OR_RETURN(container::ModelWriter writer, container::ModelWriter::create(std::move(partial)));
  OutputFile file(std::move(writer), device, source, format);
  file.segments_ = output_segments(source, format);
  file.front_ = front_segment_count(file.segments_);
  SCROOGE_ASSIGN_OR_RETURN(file.packed_,
                           device.allocate(device_bytes(source.block_plan(), format), "packed rows of a linear"));
  return file;
}

Status OutputFile::write_raw(const SegmentPlan& segment) {
  for (const RawFile& file : source_->raw_files()) {
    if (file.name == segment.name) return writer_.add_blob(segment.kind, segment.name, file.bytes);
  }
  return error(StatusCode::kInternal, "raw file ", segment.name, " vanished");
}

Status OutputFile::write_floats(const TensorDescription& description, std::span<const float> values) {
  std::vector<std::byte> bytes;
  store_floats(values, description.dtype, bytes);
  const container::PlaneBytes plane{PlaneKind::kData, bytes};
  return writer_.add_tensor(description, {&plane, 1});
}

// Straight from the source, row tile by row tile.
Status OutputFile::write_dense(const TensorDescription& description) {
  constexpr uint64_t kTileFloats = kTileBytes / sizeof(float);
  const std::string& name = description.name;
  if (name == model::kInvFreqName) return write_floats(description, source_->inv_freq());
  const uint64_t tile = std::clamp<uint64_t>(kTileFloats / description.cols, 1, description.rows);
  std::vector<float> values;
  std::vector<std::byte> bytes;
  uint64_t bad = 0;
  SCROOGE_RETURN_IF_ERROR(writer_.begin_tensor(description));
  SCROOGE_RETURN_IF_ERROR(writer_.begin_plane(PlaneKind::kData));
  for (uint64_t first = 0; first < description.rows; first += tile) {
    const uint64_t count = std::min(tile, description.rows - first);
    values.resize(static_cast<size_t>(count * description.cols));
    SCROOGE_RETURN_IF_ERROR(source_->read_rows(name, static_cast<int64_t>(first), static_cast<int64_t>(count), values));
    bad += count_unstorable(values, description.dtype);
    store_floats(values, description.dtype, bytes);
    SCROOGE_RETURN_IF_ERROR(writer_.append(bytes));
  }
  source_->drop(name);
  SCROOGE_RETURN_IF_ERROR(source_->check_unchanged());
  if (bad > 0) return source_->non_finite(name, bad, description.rows * description.cols);
  SCROOGE_RETURN_IF_ERROR(writer_.end_plane());
  return writer_.end_tensor();
}

Status OutputFile::write_front_segment() {
  const SegmentPlan& segment = segments_[next_++];
  return container::is_blob(segment.kind) ? write_raw(segment) : write_dense_segment(segment);
}

Status OutputFile::write_dense_segment(const SegmentPlan& segment) {
  SCROOGE_RETURN_IF_ERROR(writer_.begin_segment(segment.name, segment.kind));
  for (const TensorDescription& tensor : segment.tensors) SCROOGE_RETURN_IF_ERROR(write_dense(tensor));
  return writer_.end_segment();
}

Status OutputFile::write_block(int64_t block, const BlockOutcome& outcome) {
  // All of the block's weights have been read: only now is it known that they were all of the same source.
  SCROOGE_RETURN_IF_ERROR(source_->check_unchanged());
  const SegmentPlan& segment = segments_[next_++];
  const model::BlockPlan& plan = source_->block_plan();
  const std::string prefix = model::block_prefix(block);
  SCROOGE_RETURN_IF_ERROR(writer_.begin_segment(segment.name, segment.kind));
  for (const TensorDescription& tensor : segment.tensors) {
    const auto is = [&](const std::string& part, std::string_view suffix) {
      return tensor.name == concat(prefix, part, suffix);
    };
    for (size_t i = 0; i < plan.norms.size(); ++i) {
      if (is(plan.norms[i], ".weight")) SCROOGE_RETURN_IF_ERROR(write_floats(tensor, outcome.folded.norms[i]));
    }
    for (size_t i = 0; i < plan.linears.size(); ++i) {
      const std::string& name = plan.linears[i].name;
      if (is(name, ".weight")) SCROOGE_RETURN_IF_ERROR(write_quantized(tensor, *outcome.folded.quantized[i]));
      if (is(name, ".bias")) SCROOGE_RETURN_IF_ERROR(write_floats(tensor, outcome.folded.biases[i]));
    }
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      if (tensor.name == scale_tensor_name(block, plan.stages[s].name)) {
        SCROOGE_RETURN_IF_ERROR(write_floats(tensor, outcome.stages[s].choice.scale));
      }
    }
  }
  return writer_.end_segment();
}

Status OutputFile::finish(const container::ModelInfo& info, CancelToken* cancel) {
  while (next_ < segments_.size()) {
    SCROOGE_RETURN_IF_ERROR(write_dense_segment(segments_[next_++]));
    SCROOGE_RETURN_IF_ERROR(writer_.write_out(writer_.last_segment(), cancel));
  }
  return writer_.finish(info);
}

}  // namespace scrooge::pipeline
