// SPDX-License-Identifier: Apache-2.0
// A small, well-formed file of calibration results for a model, and the reading of all of one.
#pragma once

#include <string>
#include <vector>

#include "src/pipeline/calibration_file.h"
#include "src/pipeline/output_file.h"
#include "src/pipeline/saved_calibration.h"
#include "tests/support/model_file.h"

namespace scrooge::pipeline {

inline QuantSpec calibration_sample_spec() {
  QuantSpec spec;
  spec.group = 32;
  return spec;
}

inline container::ModelInfo calibration_sample_info(const ModelSource& source) {
  container::ModelInfo info;
  info.architecture = source.config().family;
  info.method = "awq";
  info.spec = calibration_sample_spec();
  info.grid = 20;
  info.attributes = {{"clip", "true"}, {"samples", "16"}};
  info.sources = {{"model.safetensors", 123, std::string(64, 'a')}};
  const model::BlockPlan& plan = source.block_plan();
  for (int64_t block = 0; block < source.config().blocks; ++block) {
    container::BlockReport& report = info.blocks.emplace_back();
    report.index = static_cast<uint32_t>(block);
    report.tokens = 900;
    for (const model::StagePlan& stage : plan.stages) {
      report.scale_sets.push_back(
          {stage.name, "norm", "mean_abs", 0.5, 2.0, 1.5, scale_tensor_name(block, stage.name)});
      for (const model::LinearRole role : stage.linears) {
        const std::string name = concat(model::block_prefix(block), plan.linear(role).name, ".weight");
        report.linears.push_back({name, 3.0, 1.25, false, {5, 4, 1}, {1.0f, 0.9f, 0.8f}});
      }
    }
  }
  return calibration_info(std::move(info));
}

// Scales are 1.5, statistics 0.25, and every third range is clipped.
inline Status write_calibration_sample(const std::string& path, const ModelSource& source,
                                       container::Alignment alignment = {12, 8}) {
  SCROOGE_ASSIGN_OR_RETURN(container::ModelWriter writer, container::ModelWriter::create(path, alignment));
  for (const container::SegmentPlan& segment : calibration_segments(source, calibration_sample_spec())) {
    SCROOGE_RETURN_IF_ERROR(writer.begin_segment(segment.name, segment.kind));
    for (const container::TensorDescription& tensor : segment.tensors) {
      const auto count = static_cast<size_t>(tensor.rows * tensor.cols);
      const bool scale = tensor.name.find("awq_scale") != std::string::npos;
      const std::vector<float> floats(count, scale ? 1.5f : 0.25f);
      std::vector<uint8_t> indices(count);
      for (size_t i = 0; i < count; i += 3) indices[i] = 1 + i % 2;
      const bool clip = tensor.dtype == DType::kU8;
      const container::PlaneBytes plane{container::PlaneKind::kData,
                                        clip ? std::as_bytes(std::span(indices)) : std::as_bytes(std::span(floats))};
      SCROOGE_RETURN_IF_ERROR(writer.add_tensor(tensor, {&plane, 1}));
    }
    SCROOGE_RETURN_IF_ERROR(writer.end_segment());
  }
  return writer.finish(calibration_sample_info(source));
}

// As a job does.
inline Result<std::vector<SavedBlock>> read_all_blocks(const SavedCalibration& saved, const ModelSource& source) {
  SCROOGE_RETURN_IF_ERROR(saved.check(source, calibration_sample_spec()));
  SCROOGE_RETURN_IF_ERROR(saved.check_sources(calibration_sample_info(source).sources));
  std::vector<SavedBlock> blocks;
  for (int64_t block = 0; block < source.config().blocks; ++block) {
    SCROOGE_ASSIGN_OR_RETURN(SavedBlock one, saved.block(source, block));
    blocks.push_back(std::move(one));
  }
  return blocks;
}

}  // namespace scrooge::pipeline
