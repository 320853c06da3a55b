// SPDX-License-Identifier: Apache-2.0
// What a calibration found, as a file of its own: a .scrooge file with the feature bit kFeatureCalibration, whose
// blocks hold auxiliary tensors instead of weights (README.md of this folder lists them) and whose index is a model's:
// sources, scheme, options, candidates and losses. So it is streamed, checked, inspected and verified like one.
#pragma once

#include <string>
#include <vector>

#include "src/container/layout_plan.h"
#include "src/container/model_writer.h"
#include "src/pipeline/block_quantizer.h"

namespace scrooge::pipeline {

// Of a stage: what is kept of its inputs, each [1,K] f32. The scale itself goes by scale_tensor_name() (output_file.h).
enum class InputStatistic { kMeanAbs, kMean, kMeanSquare };
inline constexpr InputStatistic kInputStatistics[] = {InputStatistic::kMeanAbs, InputStatistic::kMean,
                                                      InputStatistic::kMeanSquare};
// "model.layers.0.awq_mean.qkv"
std::string statistic_tensor_name(int64_t block, InputStatistic statistic, std::string_view stage);
// "model.layers.0.self_attn.q_proj.awq_clip": [N,P] u8, index of the clip candidate in the linear's report.
std::string clip_tensor_name(int64_t block, std::string_view linear);

// One a block.
std::vector<container::SegmentPlan> calibration_segments(const ModelSource& source, const QuantSpec& spec);
// Of a block's tensors: what reading or writing a block takes of memory outside the budget.
uint64_t calibration_block_bytes(const model::BlockPlan& plan, const QuantSpec& spec);

// Writes it block by block, to go on in a later process as the output does. One thread. The source must outlive it.
class CalibrationFile {
 public:
  // Into a new file, or one that an earlier process left; `planned_bytes` of disk are reserved.
  static Result<CalibrationFile> create(AtomicFile partial, const ModelSource& source, const QuantSpec& spec,
                                        uint64_t planned_bytes);

  // The next block. REQUIRES: the outcome was calibrated with SolveOptions::keep_calibration.
  Status write_block(const BlockOutcome& outcome);
  container::ModelMetadata last_segment() const { return writer_.last_segment(); }
  Status sync() { return writer_.sync(); }
  Status write_out(const container::ModelMetadata& segment, CancelToken* cancel) {
    return writer_.write_out(segment, cancel);
  }
  void drop_cached(const container::ModelMetadata& segment) const { writer_.drop_cached(segment); }
  // Of the next block: whether the file has it undamaged, and taking it over (ModelWriter::adopt()).
  Result<bool> intact(const container::ModelMetadata& segment, CancelToken* cancel) const;
  Result<bool> adopt(const container::ModelMetadata& segment, CancelToken* cancel);
  void keep(bool kept) { writer_.keep(kept); }
  // Publishes it. `info` as of the output; tag and feature bit are set here.
  Status finish(container::ModelInfo info);

 private:
  explicit CalibrationFile(container::ModelWriter writer) : writer_(std::move(writer)) {}

  container::ModelWriter writer_;
  const ModelSource* source_ = nullptr;
  std::vector<container::SegmentPlan> segments_;
  size_t next_ = 0;
};

// The index of such a file, from the info of the output it goes with.
container::ModelInfo calibration_info(container::ModelInfo info);

}  // namespace scrooge::pipeline
