// SPDX-License-Identifier: Apache-2.0
// What a quantization job is going to hold, write and take, before any work.
#include <algorithm>

#include "src/pipeline/quantize_job.h"

namespace scrooge::pipeline {

namespace {

// What the process grows by outside the budget once it works: the matrix library's generated code and packing buffers,
// thread stacks, row tiles on their way into the file. Measured below 14 MiB on 2 threads.
constexpr uint64_t kLibraryOverhead = uint64_t{16} << 20;

}  // namespace

// What the job holds with the present residency.
MemoryPlan QuantizeJob::plan_memory() const {
  MemoryPlan memory;
  memory.own_device = device_.own_memory();
  const model::BlockPlan& block = source_->block_plan();
  BlockQuantizer::plan_memory(*source_, chunking_, quantizer_options(), memory);
  memory.add("write", "packed rows of a linear", OutputFile::device_bytes(block, output_format()));
  int64_t max_k = 0;
  int64_t max_n = 0;
  for (const model::LinearPlan& linear : block.linears) {
    max_k = std::max(max_k, linear.cols);
    max_n = std::max(max_n, linear.rows);
  }
  const backend::Backend& backend = *device_.backend;
  if (backend.scratch_bytes != nullptr) {
    memory.add("job", "scratch of the backend", backend.scratch_bytes(options_.threads, max_k, max_n, options_.length));
  }
  if (backend.host_scratch_bytes != nullptr) {
    memory.add_host("job", "staging and scratch of the backend",
                    backend.host_scratch_bytes(options_.threads, max_k, max_n, options_.length));
  }
  for (PlanItem& item : counted_items()) memory.items.push_back(std::move(item));
  return memory;
}

uint64_t QuantizeJob::rows_bytes() const {
  return calibrates() ? static_cast<uint64_t>(rows_.rows * rows_.length) * sizeof(int32_t) : 0;
}

// Of the host's memory what is not taken from the budget but counted there.
std::vector<PlanItem> QuantizeJob::counted_items() const {
  const model::BlockPlan& block = source_->block_plan();
  std::vector<PlanItem> items;
  const auto add = [&](const char* stage, const char* purpose, uint64_t bytes) {
    if (bytes > 0) items.push_back({stage, purpose, bytes, Placement::kHeld, Pool::kHost});
  };
  add("job", "token ids", rows_bytes());
  if (solve_.keep_calibration || saved_) {
    add("job", "calibration results of a block", calibration_block_bytes(block, options_.spec));
  }
  add("write", "rows in the order of the layout", OutputFile::layout_bytes(block, output_format()));
  return items;
}

bool QuantizeJob::fits(const MemoryPlan& memory) const {
  return memory.sum() <= options_.memory &&
         memory.sum(Pool::kDevice) <= std::min(plan_.device_budget.bytes, device_ceiling_);
}

// The least time that fits, else the most frugal choice. A minimum is that of the choices that fit the other memory.
MemoryPlan QuantizeJob::choose_residency() {
  const BlockQuantizerOptions options = quantizer_options();
  const bool calibrate = options.calibrate;
  const bool linear = calibrate && options_.propagate == Propagate::kLinear;
  const bool own = calibrate && device_.own_memory();
  const auto choices = all_residencies(calibrate ? options_.spill : "",
                                       {options.two_streams(), linear, linear && options.solve.needs_factor(), own,
                                        own && device_.info.independent_rows});
  const uint64_t device_limit = std::min(plan_.device_budget.bytes, device_ceiling_);
  constexpr uint64_t kNone = MemoryBudget::kUnlimited;
  uint64_t host_minimum = kNone, any_host_minimum = kNone;
  uint64_t device_minimum = kNone, any_device_minimum = kNone;
  const Residency* best = nullptr;
  const Residency* least = nullptr;
  uint64_t least_bytes = kNone;
  double best_seconds = 0;
  for (const Residency& choice : choices) {
    residency_ = choice;
    const MemoryPlan memory = plan_memory();
    const uint64_t host = memory.sum();
    const uint64_t device = memory.sum(Pool::kDevice);
    const bool host_fits = host <= options_.memory;
    const bool device_fits = device <= device_limit;
    any_host_minimum = std::min(any_host_minimum, host);
    any_device_minimum = std::min(any_device_minimum, device);
    if (device_fits) host_minimum = std::min(host_minimum, host);
    if (host_fits) device_minimum = std::min(device_minimum, device);
    // Of the memory that is short: of the device's while some choice still fits the host.
    const uint64_t short_bytes = memory.own_device && host_fits ? device : memory.own_device ? kNone - 1 : host;
    if (short_bytes < least_bytes) {
      least_bytes = short_bytes;
      least = &choice;
    }
    if (!host_fits || !device_fits) continue;
    const double seconds = extra_seconds(choice, source_->config(), source_->block_plan(), chunking_);
    if (best != nullptr && seconds >= best_seconds) continue;
    best = &choice;
    best_seconds = seconds;
  }
  residency_ = best != nullptr ? *best : *least;
  MemoryPlan memory = plan_memory();
  memory.minimum_bytes = host_minimum != kNone ? host_minimum : any_host_minimum;
  if (memory.own_device) {
    memory.device_minimum_bytes = device_minimum != kNone ? device_minimum : any_device_minimum;
  }
  return memory;
}

// Names the memory that is too small, and what would do.
Status QuantizeJob::refuse(const MemoryPlan& memory) {
  const bool could_spill = options_.spill.empty() && calibrates();
  const std::string samples = could_spill && !device_.own_memory() ? "fewer or shorter samples" : "shorter samples";
  const bool of_device = options_.memory >= memory.minimum_bytes;
  const std::string cheaper =
      cheaper_settings(of_device ? memory.device_minimum_bytes : memory.minimum_bytes, of_device);
  const std::string spill =
      concat(could_spill ? "give --spill FOLDER to keep the hidden states on disk, " : "", cheaper);
  if (of_device) {
    return error(StatusCode::kBudgetExceeded, "device memory: this job needs at least ",
                 format_bytes(memory.device_minimum_bytes), " (", memory.device_minimum_bytes, " bytes) on ",
                 options_.device, ", the budget is ", plan_.device_budget.text(),
                 "; raise --device-memory, raise --memory for what may be in the host's, ", spill, "or give ", samples);
  }
  return error(StatusCode::kBudgetExceeded, "memory: this job needs at least ", format_bytes(memory.minimum_bytes),
               " (", memory.minimum_bytes, " bytes), the budget is ",
               BudgetChoice{options_.memory, plan_.budget_origin}.text(), "; raise --memory, ",
               device_.own_memory() ? "raise --device-memory, " : "", spill, "or give ", samples);
}

Status QuantizeJob::make_plan() {
  const model::BlockPlan& block = source_->block_plan();
  const model::ModelConfig& config = source_->config();
  plan_.memory = choose_residency();
  MemoryPlan& memory = plan_.memory;
  const BlockQuantizerOptions options = quantizer_options();
  if (options.calibrate && keeps_states(options_.states, config, block, options.two_streams())) {
    plan_.states_bytes =
        calibration::HiddenStates::spilled_bytes(chunking_, config.width) * (options.two_streams() ? 2 : 1);
  }
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
  const uint64_t resident = resident_anonymous_bytes();
  const uint64_t ids = rows_.ids.capacity() * sizeof(int32_t);  // planned for
  memory.overhead_bytes = resident - std::min(resident, ids) + kLibraryOverhead;
  memory.peak_bytes = memory.sum() + memory.overhead_bytes;
  return fits(memory) ? Status() : refuse(memory);
}

TimePlan QuantizeJob::time_plan() const {
  return plan_time(*source_, chunking_, quantizer_options(), plan_.output_bytes,
                   device_rates(device_, options_.threads));
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
    solution.damping = solve_.rounding->needs_factor ? 0.1 : 0;
    for (size_t i = 0; i < stage.linears.size(); ++i) {
      awq::LinearSolution& linear = solution.linears.emplace_back();
      linear.rounding = &awq::kHeuristic;  // the longest name
      if (options_.clip && outcome.tokens > 0) linear.clip_histogram.assign(awq::clip_candidates().size(), 0);
    }
  }
  for (int64_t block = 0; block < source_->config().blocks; ++block) {
    info.blocks.push_back(block_report(source_->block_plan(), block, outcome));
  }
}

}  // namespace scrooge::pipeline
