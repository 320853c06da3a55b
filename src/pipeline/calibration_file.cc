// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/calibration_file.h"

#include <algorithm>

#include "src/pipeline/output_file.h"

namespace scrooge::pipeline {

using container::PlaneKind;
using container::SegmentPlan;
using container::TensorDescription;
using container::TensorKind;

namespace {

TensorDescription auxiliary(std::string name, int64_t rows, int64_t cols, DType dtype) {
  TensorDescription description;
  description.name = std::move(name);
  description.rows = static_cast<uint64_t>(rows);
  description.cols = static_cast<uint64_t>(cols);
  description.kind = TensorKind::kAuxiliary;
  description.dtype = dtype;
  return description;
}

SegmentPlan block_segment(const model::BlockPlan& plan, int64_t block, const QuantSpec& spec) {
  SegmentPlan segment{concat("block.", block), container::SegmentKind::kBlock, {}, 0};
  for (const model::StagePlan& stage : plan.stages) {
    segment.tensors.push_back(auxiliary(scale_tensor_name(block, stage.name), 1, stage.input, DType::kF32));
    for (const InputStatistic statistic : kInputStatistics) {
      segment.tensors.push_back(
          auxiliary(statistic_tensor_name(block, statistic, stage.name), 1, stage.input, DType::kF32));
    }
    for (const model::LinearRole role : stage.linears) {
      const model::LinearPlan& linear = plan.linear(role);
      segment.tensors.push_back(
          auxiliary(clip_tensor_name(block, linear.name), linear.rows, spec.groups(linear.cols), DType::kU8));
    }
  }
  return segment;
}

const std::vector<float>& statistic_of(const awq::InputSummary& inputs, InputStatistic statistic) {
  switch (statistic) {
    case InputStatistic::kMeanAbs: return inputs.mean_abs;
    case InputStatistic::kMean: return inputs.mean;
    case InputStatistic::kMeanSquare: break;
  }
  return inputs.mean_square;
}

}  // namespace

std::string statistic_tensor_name(int64_t block, InputStatistic statistic, std::string_view stage) {
  static constexpr std::string_view kNames[] = {"awq_mean_abs.", "awq_mean.", "awq_mean_square."};
  return concat(model::block_prefix(block), kNames[static_cast<size_t>(statistic)], stage);
}

std::string clip_tensor_name(int64_t block, std::string_view linear) {
  return concat(model::block_prefix(block), linear, ".awq_clip");
}

std::vector<SegmentPlan> calibration_segments(const ModelSource& source, const QuantSpec& spec) {
  std::vector<SegmentPlan> segments;
  for (int64_t block = 0; block < source.config().blocks; ++block) {
    segments.push_back(block_segment(source.block_plan(), block, spec));
  }
  return segments;
}

uint64_t calibration_block_bytes(const model::BlockPlan& plan, const QuantSpec& spec) {
  uint64_t bytes = 0;
  for (const TensorDescription& tensor : block_segment(plan, 0, spec).tensors) {
    bytes += tensor.rows * tensor.cols * static_cast<uint64_t>(dtype_size(tensor.dtype));
  }
  return bytes;
}

container::ModelInfo calibration_info(container::ModelInfo info) {
  // What the head of the output is kept as says nothing here.
  info.tag = output_tag("calibration", info.spec, DType::kF16);
  info.tag.resize(info.tag.rfind("_head"));
  info.required_features |= container::kFeatureCalibration;
  return info;
}

Result<CalibrationFile> CalibrationFile::create(AtomicFile partial, const ModelSource& source, const QuantSpec& spec,
                                                uint64_t planned_bytes) {
  SCROOGE_ASSIGN_OR_RETURN(container::ModelWriter writer, container::ModelWriter::create(std::move(partial)));
  CalibrationFile file(std::move(writer));
  file.source_ = &source;
  file.segments_ = calibration_segments(source, spec);
  SCROOGE_RETURN_IF_ERROR(file.writer_.reserve(planned_bytes));
  return file;
}

Status CalibrationFile::write_block(const BlockOutcome& outcome) {
  const model::BlockPlan& plan = source_->block_plan();
  const SegmentPlan& segment = segments_[next_++];
  SCROOGE_RETURN_IF_ERROR(writer_.begin_segment(segment.name, segment.kind));
  auto tensor = segment.tensors.begin();
  const auto write = [&](std::span<const std::byte> bytes) {
    const container::PlaneBytes plane{PlaneKind::kData, bytes};
    return writer_.add_tensor(*tensor++, {&plane, 1});
  };
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    const awq::StageSolution& stage = outcome.stages[s];
    SCROOGE_RETURN_IF_ERROR(write(std::as_bytes(std::span(stage.choice.scale))));
    for (const InputStatistic statistic : kInputStatistics) {
      SCROOGE_RETURN_IF_ERROR(write(std::as_bytes(std::span(statistic_of(stage.inputs, statistic)))));
    }
    for (const awq::LinearSolution& linear : stage.linears) {
      // A linear whose ranges were not searched, or were given up with its stage, has full ones.
      std::vector<uint8_t> full;
      if (linear.clip_index.empty()) full.resize(static_cast<size_t>(tensor->rows * tensor->cols));
      SCROOGE_RETURN_IF_ERROR(write(std::as_bytes(std::span(full.empty() ? linear.clip_index : full))));
    }
  }
  return writer_.end_segment();
}

Result<bool> CalibrationFile::intact(const container::ModelMetadata& segment, CancelToken* cancel) const {
  const auto same = [](const container::TensorRecord& record, const TensorDescription& planned) {
    return record.description == planned;
  };
  if (next_ >= segments_.size() || segment.segments.size() != 1 ||
      segment.segments.front().name != segments_[next_].name ||
      !std::equal(segment.tensors.begin(), segment.tensors.end(), segments_[next_].tensors.begin(),
                  segments_[next_].tensors.end(), same)) {
    return error(StatusCode::kBadModelFile,
                 "the journal of the unfinished output describes other calibration results; start over with --fresh");
  }
  return writer_.intact(segment, cancel);
}

Result<bool> CalibrationFile::adopt(const container::ModelMetadata& segment, CancelToken* cancel) {
  SCROOGE_ASSIGN_OR_RETURN(const bool whole, writer_.adopt(segment, cancel));
  if (whole) ++next_;
  return whole;
}

Status CalibrationFile::finish(container::ModelInfo info) { return writer_.finish(calibration_info(std::move(info))); }

}  // namespace scrooge::pipeline
