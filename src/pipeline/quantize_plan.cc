// SPDX-License-Identifier: Apache-2.0
// What a quantization job is going to hold, write and take, before any work.
#include <algorithm>

#include "src/backend/backend_list.h"
#include "src/pipeline/quantize_job.h"

namespace scrooge::pipeline {

namespace {

// What the process grows by outside the budget once it works: the matrix library's generated code and packing buffers,
// thread stacks, row tiles on their way into the file. Measured below 14 MiB on 2 threads.
constexpr uint64_t kLibraryOverhead = uint64_t{16} << 20;

}  // namespace

// What the job holds with the present residency.
Status QuantizeJob::plan_memory() {
  MemoryPlan& memory = plan_.memory;
  memory = {};
  const model::BlockPlan& block = source_->block_plan();
  BlockQuantizer::plan_memory(*source_, chunking_, quantizer_options(), memory);
  memory.add("write", "packed rows of a linear", OutputFile::device_bytes(block, output_format()));
  int64_t max_k = 0;
  int64_t max_n = 0;
  for (const model::LinearPlan& linear : block.linears) {
    max_k = std::max(max_k, linear.cols);
    max_n = std::max(max_n, linear.rows);
  }
  SCROOGE_ASSIGN_OR_RETURN(const backend::Backend* const backend, backend::find_backend(options_.device));
  if (backend->scratch_bytes != nullptr) {
    memory.add("job", "scratch of the backend",
               backend->scratch_bytes(options_.threads, max_k, max_n, options_.length));
  }
  memory.minimum_bytes = memory.sum();
  return {};
}

// The least time that fits. The minimum is that of the most frugal choice.
Status QuantizeJob::choose_residency() {
  const BlockQuantizerOptions options = quantizer_options();
  const bool calibrate = options.calibrate;
  const bool linear = calibrate && options_.propagate == Propagate::kLinear;
  const auto choices = all_residencies(calibrate ? options_.spill : "",
                                       {options.two_streams(), linear, linear && options.solve.needs_factor()});
  uint64_t minimum = MemoryBudget::kUnlimited;
  const Residency* best = nullptr;
  const Residency* least = nullptr;
  double best_seconds = 0;
  for (const Residency& choice : choices) {
    residency_ = choice;
    SCROOGE_RETURN_IF_ERROR(plan_memory());
    const uint64_t bytes = plan_.memory.sum();
    if (bytes < minimum) {
      minimum = bytes;
      least = &choice;
    }
    if (bytes > options_.memory) continue;
    const double seconds = extra_seconds(choice, source_->config(), source_->block_plan(), chunking_);
    if (best != nullptr && seconds >= best_seconds) continue;
    best = &choice;
    best_seconds = seconds;
  }
  residency_ = best != nullptr ? *best : *least;
  SCROOGE_RETURN_IF_ERROR(plan_memory());
  plan_.memory.minimum_bytes = minimum;
  if (calibrate && keeps_states(options_.states, source_->config(), source_->block_plan(), options.two_streams())) {
    plan_.states_bytes =
        calibration::HiddenStates::disk_bytes(chunking_, source_->config().width) * (options.two_streams() ? 2 : 1);
  }
  return {};
}

Status QuantizeJob::make_plan() {
  const model::BlockPlan& block = source_->block_plan();
  const model::ModelConfig& config = source_->config();
  MemoryPlan& memory = plan_.memory;
  SCROOGE_RETURN_IF_ERROR(choose_residency());
  plan_.blocks = config.blocks;
  plan_.tokens = static_cast<uint64_t>(chunking_.tokens());
  plan_.tokens_dropped = rows_.dropped;
  const auto segments = output_segments(*source_, output_format());
  SCROOGE_ASSIGN_OR_RETURN(container::ModelInfo info, model_info());
  expect_reports(info);
  SCROOGE_ASSIGN_OR_RETURN(const container::LayoutPlan file, container::plan_layout(segments, info));
  plan_.output_bytes = file.file_size;
  plan_.bits_per_weight = container::bits_per_weight(file.metadata);
  if (solve_.keep_calibration) {
    SCROOGE_ASSIGN_OR_RETURN(calibration_bytes_, container::planned_size(calibration_segments(*source_, options_.spec),
                                                                         calibration_info(saving_info(info))));
  }
  // The tokenizer and the text are gone by now; what is left of the process is what it stays at.
  trim_heap();
  memory.overhead_bytes = resident_anonymous_bytes() + kLibraryOverhead;
  memory.overhead_bytes += OutputFile::layout_bytes(block, output_format());
  if (solve_.keep_calibration || saved_) memory.overhead_bytes += calibration_block_bytes(block, options_.spec);
  memory.peak_bytes = memory.sum() + memory.overhead_bytes;
  if (options_.memory < memory.minimum_bytes) {
    const bool could_spill = options_.spill.empty() && calibrates();
    return error(StatusCode::kBudgetExceeded, "memory: this job needs at least ", format_bytes(memory.minimum_bytes),
                 " (", memory.minimum_bytes, " bytes), the budget is ",
                 BudgetChoice{options_.memory, plan_.budget_origin}.text(), "; raise --memory, ",
                 could_spill ? "give --spill FOLDER to keep the hidden states on disk, " : "", "or give ",
                 could_spill ? "fewer or shorter samples" : "shorter samples");
  }
  return {};
}

// Reports and sources as long as the real ones can be, so that the planned size is never too small.
void QuantizeJob::expect_reports(container::ModelInfo& info) const {
  for (const SourceFile& file : source_->files()) {
    info.sources.push_back({file.path.substr(file.path.rfind('/') + 1), file.identity.size, std::string(64, '0')});
  }
  BlockOutcome outcome;
  outcome.tokens = options_.method == Method::kAwq ? 1 : 0;
  for (const model::StagePlan& stage : source_->block_plan().stages) {
    awq::StageSolution& solution = outcome.stages.emplace_back();
    solution.choice = {awq::ScaleCandidate::Salience::kMeanAbs, true, 0.5, 0.5, {}};
    for (size_t i = 0; i < stage.linears.size(); ++i) {
      awq::LinearSolution& linear = solution.linears.emplace_back();
      if (options_.clip && outcome.tokens > 0) linear.clip_histogram.assign(awq::clip_candidates().size(), 0);
    }
  }
  for (int64_t block = 0; block < source_->config().blocks; ++block) {
    info.blocks.push_back(block_report(source_->block_plan(), block, outcome));
  }
}

}  // namespace scrooge::pipeline
