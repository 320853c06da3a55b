// SPDX-License-Identifier: Apache-2.0
// Statistics of the stages of a block and the movement of the hidden states past it, for every kind of propagation
// (README.md draws the loops).
#include <algorithm>

#include "src/pipeline/block_quantizer.h"

namespace scrooge::pipeline {

using backend::Matrix;
using backend::Precision;
using calibration::Chunking;
using calibration::StageStatistics;
using calibration::StatisticsPart;
using model::BlockWeights;
using model::LinearRole;
using model::Producer;
using model::StagePlan;

namespace {

// Calibration may run at the backend's fastest precision: statistics of bf16-rounded inputs differ from f32 ones by far
// less than two texts differ (src/pipeline/README.md has the figures).
constexpr Precision kPrecision = Precision::kFast;

bool writes_residual(const StagePlan& stage) {
  return stage.producer == Producer::kAttention || stage.producer == Producer::kGate;
}

}  // namespace

std::vector<awq::LinearProblem> BlockQuantizer::linear_problems(int64_t block, const StagePlan& stage) const {
  std::vector<awq::LinearProblem> problems;
  for (const LinearRole role : stage.linears) {
    problems.push_back({concat(model::block_prefix(block), source_.block_plan().linear(role).name),
                        &originals_.weights().linear(role)});
  }
  return problems;
}

// What the stage's linears compute from now on.
Status BlockQuantizer::set_effective(size_t s, const awq::StageSolution& solution) {
  const StagePlan& stage = source_.block_plan().stages[s];
  for (size_t i = 0; i < stage.linears.size(); ++i) {
    SCROOGE_RETURN_IF_ERROR(effective_.set(stage.linears[i], solution.linears[i].quantized, solution.choice.scale));
  }
  return {};
}

Status BlockQuantizer::solve_stage(int64_t block, const StagePlan& stage, StageStatistics& statistics,
                                   BlockOutcome& outcome) {
  const Stopwatch watch;
  awq::Ties ties;
  std::vector<int64_t> groups;
  if (stage.producer == Producer::kAttention) {
    groups = awq::attention_ties(source_.config());
    ties = {groups, source_.config().kv_width()};
  }
  SCROOGE_ASSIGN_OR_RETURN(awq::StageSolution solution,
                           solver_->solve(linear_problems(block, stage), statistics, ties));
  outcome.stages.push_back(std::move(solution));
  outcome.tokens = statistics.tokens();
  outcome.quantize_seconds += watch.seconds();
  return {};
}

Result<bool> BlockQuantizer::check_stage(int64_t block, size_t stage, const StageStatistics& statistics,
                                         BlockOutcome& outcome) {
  const Stopwatch watch;
  const auto problems = linear_problems(block, source_.block_plan().stages[stage]);
  awq::StageSolution& solution = outcome.stages[stage];
  SCROOGE_ASSIGN_OR_RETURN(const bool holds, statistics.holds_gram()
                                                 ? solver_->check(problems, statistics, solution)
                                                 : solver_->check_further(problems, statistics, solution));
  outcome.quantize_seconds += watch.seconds();
  return holds;
}

Status BlockQuantizer::fall_back(int64_t block, size_t stage, BlockOutcome& outcome) {
  return solver_->fall_back(linear_problems(block, source_.block_plan().stages[stage]), outcome.stages[stage]);
}

// Extreme tokens are those with the longest residual stream as they enter the block.
Status BlockQuantizer::drop_outliers() {
  if (options_.selection.outliers <= 0) return {};
  constexpr int64_t kTileRows = 64;
  const Chunking& chunking = hidden_.chunking();
  const auto width = static_cast<size_t>(source_.config().width);
  std::vector<float> scores;
  scores.reserve(static_cast<size_t>(chunking.tokens()));
  std::vector<float> tile(static_cast<size_t>(kTileRows) * width);
  for (int64_t chunk = 0; chunk < chunking.chunks(); ++chunk) {
    SCROOGE_ASSIGN_OR_RETURN(const Matrix h, hidden_.load(chunk));
    for (int64_t first = 0; first < h.rows; first += kTileRows) {
      const auto count = static_cast<size_t>(std::min(kTileRows, h.rows - first));
      const auto values = std::span(tile).first(count * width);
      SCROOGE_RETURN_IF_ERROR(
          device_.download(*h.buffer, h.row_range(first, 1).offset, std::as_writable_bytes(values)));
      for (size_t t = 0; t < count; ++t) {
        double sum = 0;
        for (const float value : values.subspan(t * width, width)) sum += static_cast<double>(value) * value;
        scores.push_back(static_cast<float>(sum));
      }
    }
  }
  selection_.drop_outliers(scores);
  return {};
}

// A chunk's part of the statistics of a stage; with two streams the original one is then past the stage. `x` is the
// quantized stream's input of the same tokens.
Status BlockQuantizer::add_statistics(const StagePlan& stage, int64_t chunk, const Matrix& x, bool original_too,
                                      StageStatistics& statistics) {
  if (statistics.holds_gram()) {
    for (const calibration::RowSlice& slice : selection_.slices(chunk)) {
      SCROOGE_RETURN_IF_ERROR(statistics.add(slice.of(x), kPrecision));
    }
  }
  if (!original_too) return {};
  SCROOGE_ASSIGN_OR_RETURN(const Matrix h, hidden_.load(chunk));
  SCROOGE_ASSIGN_OR_RETURN(const Matrix original, original_hidden_.load(chunk));
  const Matrix x_original = chunk_room(0, x.rows, x.cols);
  const BlockWeights& weights = originals_.weights();
  SCROOGE_RETURN_IF_ERROR(
      forward_->produce(stage, weights, original, hidden_.chunking().sequence, kPrecision, x_original));
  Matrix wrong = x_original;  // what x, or for a writer of the residual stream the stage's output, should change by
  if (writes_residual(stage)) {
    wrong = chunk_room(1, h.rows, h.cols);
    SCROOGE_RETURN_IF_ERROR(
        device_.copy(*original.buffer, original.offset, *wrong.buffer, wrong.offset, float_bytes(h.rows * h.cols)));
    SCROOGE_RETURN_IF_ERROR(device_.add({h, wrong, -1.0f}));
    SCROOGE_RETURN_IF_ERROR(forward_->consume(stage, weights, x_original, kPrecision, original));
    SCROOGE_RETURN_IF_ERROR(original_hidden_.store(chunk));
  }
  SCROOGE_RETURN_IF_ERROR(device_.add({x, x_original, -1.0f}));
  if (writes_residual(stage)) {
    model::WeightRows& w = weights.linear(stage.linears.front());
    SCROOGE_RETURN_IF_ERROR(forward_->multiply(w, {}, x_original, kPrecision, 1, wrong));
  }
  for (const calibration::RowSlice& slice : selection_.slices(chunk)) {
    SCROOGE_RETURN_IF_ERROR(statistics.add_error(slice.of(x), slice.of(wrong), kPrecision));
  }
  return {};
}

Status BlockQuantizer::linear_statistics(const StagePlan& stage, const BlockWeights& run, Pass pass, double done) {
  const bool keep = stage.producer == Producer::kAttention;
  StageStatistics& statistics = statistics_.front();
  const int64_t outputs = writes_residual(stage) ? source_.config().width : 0;
  SCROOGE_RETURN_IF_ERROR(statistics.reset(stage.input, outputs, pass.part));
  forward_->begin_workspace_at(statistics.free_offset());
  for (int64_t chunk = 0; chunk < hidden_.chunking().chunks(); ++chunk) {
    if (selection_.held_out(chunk) != pass.held_out) continue;
    SCROOGE_ASSIGN_OR_RETURN(const Matrix h, hidden_.load(chunk));
    const Matrix x = keep ? attention_.place(chunk) : forward_->stage_input(h.rows, stage.input);
    SCROOGE_RETURN_IF_ERROR(forward_->produce(stage, run, h, hidden_.chunking().sequence, kPrecision, x));
    if (keep) SCROOGE_RETURN_IF_ERROR(attention_.store(chunk));
    SCROOGE_RETURN_IF_ERROR(add_statistics(stage, chunk, x, pass.original, statistics));
    SCROOGE_RETURN_IF_ERROR(tick(stage.name.c_str(), done));
  }
  return statistics.finish(concat("block ", block_, ", stage ", stage.name));
}

// In two passes the original stream goes along in the second, which is then the one that moves it past the stage.
Status BlockQuantizer::gather(const StagePlan& stage, const BlockWeights& run, Pass pass, double done,
                              BlockOutcome& outcome, const PassDone& then) {
  std::vector<Pass> passes{pass};
  if (in_two_passes(options_.residency, stage)) {
    passes.front() = {pass.held_out, false, StatisticsPart::kGram};
    if (pass.original) passes.push_back({pass.held_out, true, StatisticsPart::kCorrection});
  }
  for (const Pass& one : passes) {
    const Stopwatch watch;
    SCROOGE_RETURN_IF_ERROR(linear_statistics(stage, run, one, done));
    outcome.calibrate_seconds += watch.seconds();
    SCROOGE_RETURN_IF_ERROR(then(one));
  }
  return {};
}

// Statistics, search and guard of one stage. A correction that does not hold on the held-out tokens is dropped before
// anything else is: it follows few tokens of great error, where there are such. Both streams are past the stage by
// then, so the second attempt sees the arriving inputs alone.
Status BlockQuantizer::linear_stage(int64_t block, size_t s, const BlockWeights& run, double done,
                                    BlockOutcome& outcome) {
  const StagePlan& stage = source_.block_plan().stages[s];
  StageStatistics& statistics = statistics_.front();
  bool overfit = false;
  for (bool original = options_.two_streams();; original = false) {
    SCROOGE_RETURN_IF_ERROR(gather(stage, run, {false, original}, done, outcome, [&](const Pass& pass) -> Status {
      const bool more = original && pass.part == StatisticsPart::kGram;
      return more ? solver_->park_gram(statistics) : solve_stage(block, stage, statistics, outcome);
    }));
    outcome.stages[s].correction_overfit = overfit;
    if (!selection_.any_held_out()) return {};
    bool holds = false;
    SCROOGE_RETURN_IF_ERROR(gather(stage, run, {true, original}, done, outcome, [&](const Pass&) -> Status {
      SCROOGE_ASSIGN_OR_RETURN(holds, check_stage(block, s, statistics, outcome));
      return {};
    }));
    if (holds) return {};
    if (!outcome.stages[s].corrected) return fall_back(block, s, outcome);
    outcome.stages.pop_back();
    overfit = true;
  }
}

Status BlockQuantizer::calibrate_by_linear(int64_t block, BlockOutcome& outcome) {
  const Chunking& chunking = hidden_.chunking();
  const model::BlockPlan& plan = source_.block_plan();
  BlockWeights run = originals_.weights();
  double done = 0;
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    const StagePlan& stage = plan.stages[s];
    SCROOGE_RETURN_IF_ERROR(linear_stage(block, s, run, done, outcome));
    SCROOGE_RETURN_IF_ERROR(set_effective(s, outcome.stages[s]));
    for (const LinearRole role : stage.linears) run.linears[static_cast<size_t>(role)] = &effective_.linear(role);
    done += 1.0 / static_cast<double>(plan.stages.size());
    const Stopwatch forward_watch;
    if (writes_residual(stage)) {
      const bool keep = stage.producer == Producer::kAttention;
      for (int64_t chunk = 0; chunk < chunking.chunks(); ++chunk) {
        SCROOGE_ASSIGN_OR_RETURN(const Matrix h, hidden_.load(chunk));
        Matrix x = forward_->stage_input(h.rows, stage.input);
        if (keep) {
          SCROOGE_ASSIGN_OR_RETURN(x, attention_.load(chunk));
        } else {
          SCROOGE_RETURN_IF_ERROR(forward_->produce(stage, run, h, chunking.sequence, kPrecision, x));
        }
        SCROOGE_RETURN_IF_ERROR(forward_->consume(stage, run, x, kPrecision, h));
        SCROOGE_RETURN_IF_ERROR(hidden_.store(chunk));
        SCROOGE_RETURN_IF_ERROR(tick(stage.name.c_str(), done));
      }
    }
    outcome.calibrate_seconds += forward_watch.seconds();
  }
  forward_->begin_workspace_at(0);
  return {};
}

// Of all stages in one pass over the chunks that are held out, or over all others.
Status BlockQuantizer::block_statistics(bool held_out) {
  const Chunking& chunking = hidden_.chunking();
  const model::BlockPlan& plan = source_.block_plan();
  for (size_t s = 0; s < plan.stages.size(); ++s) SCROOGE_RETURN_IF_ERROR(statistics_[s].reset(plan.stages[s].input));
  for (int64_t chunk = 0; chunk < chunking.chunks(); ++chunk) {
    if (selection_.held_out(chunk) != held_out) continue;
    SCROOGE_ASSIGN_OR_RETURN(const Matrix h, hidden_.load(chunk));
    const Matrix mid = chunk_room(1, h.rows, h.cols);
    const uint64_t bytes = float_bytes(h.rows * h.cols);
    SCROOGE_RETURN_IF_ERROR(device_.copy(*h.buffer, h.offset, *mid.buffer, mid.offset, bytes));
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      const StagePlan& stage = plan.stages[s];
      const Matrix x = forward_->stage_input(h.rows, stage.input);
      SCROOGE_RETURN_IF_ERROR(forward_->produce(stage, originals_.weights(), mid, chunking.sequence, kPrecision, x));
      SCROOGE_RETURN_IF_ERROR(add_statistics(stage, chunk, x, false, statistics_[s]));
      SCROOGE_RETURN_IF_ERROR(forward_->consume(stage, originals_.weights(), x, kPrecision, mid));
    }
    if (options_.propagate == Propagate::kNone) {
      SCROOGE_RETURN_IF_ERROR(device_.copy(*mid.buffer, mid.offset, *h.buffer, h.offset, bytes));
      SCROOGE_RETURN_IF_ERROR(hidden_.store(chunk));
    }
    SCROOGE_RETURN_IF_ERROR(tick("statistics", 0));
  }
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    SCROOGE_RETURN_IF_ERROR(statistics_[s].finish(concat("block ", block_, ", stage ", plan.stages[s].name)));
  }
  return {};
}

Status BlockQuantizer::calibrate_by_block(int64_t block, BlockOutcome& outcome) {
  const model::BlockPlan& plan = source_.block_plan();
  const Stopwatch watch;
  SCROOGE_RETURN_IF_ERROR(block_statistics(false));
  outcome.calibrate_seconds += watch.seconds();
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    SCROOGE_RETURN_IF_ERROR(solve_stage(block, plan.stages[s], statistics_[s], outcome));
    SCROOGE_RETURN_IF_ERROR(tick(plan.stages[s].name.c_str(), 0.5));
  }
  const Stopwatch held_out_watch;
  if (selection_.any_held_out()) {
    SCROOGE_RETURN_IF_ERROR(block_statistics(true));
    outcome.calibrate_seconds += held_out_watch.seconds();
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      SCROOGE_ASSIGN_OR_RETURN(const bool holds, check_stage(block, s, statistics_[s], outcome));
      if (!holds) SCROOGE_RETURN_IF_ERROR(fall_back(block, s, outcome));
    }
  }
  for (size_t s = 0; s < plan.stages.size(); ++s) SCROOGE_RETURN_IF_ERROR(set_effective(s, outcome.stages[s]));
  if (options_.propagate == Propagate::kNone) return {};
  const Stopwatch forward_watch;
  BlockWeights run = originals_.weights();
  run.linears = effective_.linears();
  SCROOGE_RETURN_IF_ERROR(move_past(run, hidden_, "forward"));
  outcome.calibrate_seconds += forward_watch.seconds();
  return {};
}

// All tokens of a store past the block.
Status BlockQuantizer::move_past(const BlockWeights& run, calibration::HiddenStates& states, const char* stage) {
  for (int64_t chunk = 0; chunk < states.chunking().chunks(); ++chunk) {
    SCROOGE_ASSIGN_OR_RETURN(const Matrix h, states.load(chunk));
    SCROOGE_RETURN_IF_ERROR(forward_->run(source_.block_plan(), run, h, states.chunking().sequence, kPrecision));
    SCROOGE_RETURN_IF_ERROR(states.store(chunk));
    SCROOGE_RETURN_IF_ERROR(tick(stage, 0.75));
  }
  return {};
}

Status BlockQuantizer::load_finished(const FinishedBlock& finished) {
  const model::BlockPlan& plan = source_.block_plan();
  finished_.clear();
  finished_.reserve(plan.linears.size());
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    for (const LinearRole role : plan.stages[s].linears) {
      const model::LinearPlan& linear = plan.linear(role);
      SCROOGE_ASSIGN_OR_RETURN(awq::QuantizedLinear quantized,
                               awq::QuantizedLinear::create(device_, linear.rows, linear.cols, options_.solve.spec));
      SCROOGE_RETURN_IF_ERROR(finished.load(static_cast<size_t>(role), quantized));
      finished_.push_back(std::move(quantized));
      SCROOGE_RETURN_IF_ERROR(effective_.set(role, finished_.back(), finished.scales[s]));
    }
  }
  return {};
}

std::vector<calibration::HiddenStates*> BlockQuantizer::states() {
  std::vector<calibration::HiddenStates*> result;
  if (options_.calibrate) result.push_back(&hidden_);
  if (options_.two_streams()) result.push_back(&original_hidden_);
  return result;
}

// The same operations on the same numbers as when the block was quantized, so that the states are the same to the bit.
Status BlockQuantizer::replay(int64_t block, const FinishedBlock& finished) {
  block_ = block;
  if (!options_.calibrate) return {};
  SCROOGE_RETURN_IF_ERROR(originals_.load(source_, block));
  prefetch_block(source_, block + 1);
  if (options_.two_streams()) SCROOGE_RETURN_IF_ERROR(move_past(originals_.weights(), original_hidden_, "resume"));
  BlockWeights run = originals_.weights();
  if (options_.propagate != Propagate::kNone) {
    SCROOGE_RETURN_IF_ERROR(load_finished(finished));
    run.linears = effective_.linears();
  }
  const Status moved = move_past(run, hidden_, "resume");
  finished_.clear();
  return moved;
}

}  // namespace scrooge::pipeline
