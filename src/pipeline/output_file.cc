// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/output_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/base/half.h"
#include "src/tensor/pack_bits.h"

namespace scrooge::pipeline {

using container::PlaneKind;
using container::SegmentKind;
using container::SegmentPlan;
using container::TensorDescription;
using container::TensorKind;

namespace {

constexpr uint64_t kTileBytes = 1 << 20;

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

SegmentPlan block_segment(const ModelSource& source, int64_t block, const QuantSpec& spec, bool with_scales) {
  const model::BlockPlan& plan = source.block_plan();
  const std::string prefix = model::block_prefix(block);
  SegmentPlan segment{concat("block.", block), SegmentKind::kBlock, {}, 0};
  for (const std::string& norm : plan.norms) {
    segment.tensors.push_back(dense(concat(prefix, norm, ".weight"), 1, source.config().width, DType::kF32));
  }
  for (const model::LinearPlan& linear : plan.linears) {
    TensorDescription description =
        dense(concat(prefix, linear.name, ".weight"), linear.rows, linear.cols, DType::kF16);
    description.kind = TensorKind::kQuantized;
    description.spec = spec;
    description.folded = with_scales;
    segment.tensors.push_back(std::move(description));
    if (linear.bias) {
      segment.tensors.push_back(dense(concat(prefix, linear.name, ".bias"), 1, linear.rows, DType::kF32));
    }
  }
  if (with_scales) {
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

int64_t rows_per_tile(int64_t row_bytes) {
  return std::max<int64_t>(1, static_cast<int64_t>(kTileBytes) / std::max<int64_t>(row_bytes, 1));
}

// Copies values into the bytes of a storage type.
void store(std::span<const float> values, DType dtype, std::vector<std::byte>& out) {
  out.resize(values.size() * static_cast<size_t>(dtype_size(dtype)));
  if (dtype == DType::kF32) {
    const auto bytes = std::as_bytes(values);
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return;
  }
  auto* halves = reinterpret_cast<uint16_t*>(out.data());
  for (size_t i = 0; i < values.size(); ++i) {
    halves[i] = dtype == DType::kF16 ? float_to_fp16(values[i]) : float_to_bf16(values[i]);
  }
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

std::vector<SegmentPlan> output_segments(const ModelSource& source, const QuantSpec& spec, bool with_scales) {
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
    segments.push_back(block_segment(source, block, spec, with_scales));
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

uint64_t OutputFile::device_bytes(const model::BlockPlan& plan, const QuantSpec& spec) {
  int64_t largest = 0;
  for (const model::LinearPlan& linear : plan.linears) {
    const int64_t row_bytes = spec.code_row_bytes(linear.cols);
    largest = std::max(largest, std::min(linear.rows, rows_per_tile(row_bytes)) * row_bytes);
  }
  return static_cast<uint64_t>(largest);
}

Result<OutputFile> OutputFile::create(AtomicFile partial, backend::Device& device, const ModelSource& source,
                                      const QuantSpec& spec, bool with_scales) {
  SCROOGE_ASSIGN_OR_RETURN(container::ModelWriter writer, container::ModelWriter::create(std::move(partial)));
  OutputFile file(std::move(writer), device, source, spec);
  file.segments_ = output_segments(source, spec, with_scales);
  file.front_ = front_segment_count(file.segments_);
  SCROOGE_ASSIGN_OR_RETURN(file.packed_,
                           device.allocate(device_bytes(source.block_plan(), spec), "packed rows of a linear"));
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
  store(values, description.dtype, bytes);
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
    store(values, description.dtype, bytes);
    SCROOGE_RETURN_IF_ERROR(writer_.append(bytes));
  }
  source_->drop(name);
  SCROOGE_RETURN_IF_ERROR(source_->check_unchanged());
  if (bad > 0) return source_->non_finite(name, bad, description.rows * description.cols);
  SCROOGE_RETURN_IF_ERROR(writer_.end_plane());
  return writer_.end_tensor();
}

// Plane by plane, row tile by row tile: what leaves the device takes little memory beside the budget.
Status OutputFile::write_quantized(const TensorDescription& description, const awq::QuantizedLinear& linear) {
  const int64_t row_bytes = spec_.code_row_bytes(linear.cols);
  const int64_t tile = rows_per_tile(row_bytes);
  SCROOGE_RETURN_IF_ERROR(writer_.begin_tensor(description));
  SCROOGE_RETURN_IF_ERROR(writer_.begin_plane(PlaneKind::kCodes));
  std::vector<std::byte> bytes;
  for (int64_t first = 0; first < linear.rows; first += tile) {
    const int64_t rows = std::min(tile, linear.rows - first);
    const backend::Matrix packed{packed_.get(), 0, rows, row_bytes, row_bytes, DType::kU8};
    SCROOGE_RETURN_IF_ERROR(device_->pack({linear.codes().row_range(first, rows), packed, spec_.bits}));
    bytes.resize(static_cast<size_t>(rows * row_bytes));
    SCROOGE_RETURN_IF_ERROR(device_->download(*packed_, 0, bytes));
    SCROOGE_RETURN_IF_ERROR(writer_.append(bytes));
  }
  SCROOGE_RETURN_IF_ERROR(writer_.end_plane());

  SCROOGE_RETURN_IF_ERROR(writer_.begin_plane(PlaneKind::kScales));
  SCROOGE_RETURN_IF_ERROR(for_parameter_rows(linear, *linear.scales_buffer, [&](std::span<const float> values) {
    store(values, spec_.scale_dtype, bytes);
    return writer_.append(bytes);
  }));
  SCROOGE_RETURN_IF_ERROR(writer_.end_plane());

  if (!spec_.symmetric) {
    const auto groups = static_cast<size_t>(spec_.groups(linear.cols));
    const auto zero_bytes = static_cast<size_t>(spec_.zero_row_bytes(linear.cols));
    std::vector<uint8_t> row(groups);
    std::vector<uint8_t> zeros;
    SCROOGE_RETURN_IF_ERROR(writer_.begin_plane(PlaneKind::kZeros));
    SCROOGE_RETURN_IF_ERROR(for_parameter_rows(linear, *linear.zeros_buffer, [&](std::span<const float> values) {
      const size_t rows = values.size() / groups;
      zeros.assign(rows * zero_bytes, 0);
      for (size_t n = 0; n < rows; ++n) {
        for (size_t p = 0; p < groups; ++p) row[p] = static_cast<uint8_t>(values[n * groups + p]);
        pack_bits(row, spec_.bits, std::span(zeros).subspan(n * zero_bytes, zero_bytes));
      }
      return writer_.append(std::as_bytes(std::span(zeros)));
    }));
    SCROOGE_RETURN_IF_ERROR(writer_.end_plane());
  }
  return writer_.end_tensor();
}

// Scales or zeros [N,P], some whole rows at a time.
Status OutputFile::for_parameter_rows(const awq::QuantizedLinear& linear, const backend::Buffer& buffer,
                                      const std::function<Status(std::span<const float>)>& use) {
  const uint64_t row_bytes = static_cast<uint64_t>(spec_.groups(linear.cols)) * sizeof(float);
  const uint64_t total = static_cast<uint64_t>(linear.rows) * row_bytes;
  const uint64_t tile = std::max<uint64_t>(1, kTileBytes / row_bytes) * row_bytes;
  std::vector<float> values;
  for (uint64_t done = 0; done < total; done += values.size() * sizeof(float)) {
    values.resize(static_cast<size_t>(std::min(tile, total - done)) / sizeof(float));
    SCROOGE_RETURN_IF_ERROR(device_->download(buffer, done, std::as_writable_bytes(std::span(values))));
    SCROOGE_RETURN_IF_ERROR(use(values));
  }
  return {};
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

Status OutputFile::finish(const container::ModelInfo& info) {
  while (next_ < segments_.size()) SCROOGE_RETURN_IF_ERROR(write_dense_segment(segments_[next_++]));
  return writer_.finish(info);
}

}  // namespace scrooge::pipeline
