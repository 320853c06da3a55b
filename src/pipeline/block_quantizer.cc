// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/block_quantizer.h"

#include <algorithm>
#include <cmath>

namespace scrooge::pipeline {

using backend::Matrix;
using backend::Precision;
using calibration::Chunking;
using calibration::HiddenStates;
using calibration::StageStatistics;
using model::BlockWeights;
using model::LinearRole;
using model::StagePlan;

namespace {

constexpr int64_t kProbeTokens = 128;

int64_t widest_input(const model::BlockPlan& plan) {
  int64_t widest = 0;
  for (const StagePlan& stage : plan.stages) widest = std::max(widest, stage.input);
  return widest;
}

std::vector<std::vector<awq::LinearShape>> stage_shapes(const model::BlockPlan& plan) {
  std::vector<std::vector<awq::LinearShape>> stages;
  for (const StagePlan& stage : plan.stages) {
    auto& shapes = stages.emplace_back();
    for (const LinearRole role : stage.linears) shapes.push_back({plan.linear(role).rows, plan.linear(role).cols});
  }
  return stages;
}

uint64_t quantized_bytes(const model::BlockPlan& plan, const QuantSpec& spec) {
  uint64_t bytes = 0;
  for (const model::LinearPlan& linear : plan.linears) {
    bytes += awq::QuantizedLinear::device_bytes(linear.rows, linear.cols, spec);
  }
  return bytes;
}

int64_t probe_tokens(const Chunking& chunking) { return std::min(chunking.sequence, kProbeTokens); }

uint64_t padded(uint64_t bytes) { return (bytes + 255) / 256 * 256; }

model::BlockForward::ChunkShape chunk_shape(const Chunking& chunking, const Residency& residency) {
  return {chunking.chunk_tokens(), chunking.sequence, residency.half_chunks};
}

// Of the workspace when the forward runs: its scratch, then two rooms for a chunk, as wide as the widest input and as
// the model.
struct ForwardRooms {
  ForwardRooms(const ModelSource& source, const Chunking& chunking, const Residency& residency) {
    const int64_t tokens = chunking.chunk_tokens();
    first = padded(model::BlockForward::scratch_bytes(source.config(), chunk_shape(chunking, residency)));
    second = first + padded(float_bytes(tokens * widest_input(source.block_plan())));
    bytes = second + padded(float_bytes(tokens * source.config().width));
  }
  uint64_t first, second, bytes;
};

int64_t correction_rows(const StagePlan& stage, const model::ModelConfig& config,
                        const BlockQuantizerOptions& options) {
  if (!options.two_streams()) return 0;
  return stage.linears.size() == 1 ? config.width : stage.input;
}

// With propagation by linears a stage's statistics lie at the beginning of the workspace, and what the forward and the
// solver take behind them.
bool shares_workspace(const BlockQuantizerOptions& options) {
  return options.calibrate && options.propagate == Propagate::kLinear;
}

uint64_t workspace_bytes(const ModelSource& source, const Chunking& chunking, const BlockQuantizerOptions& options) {
  const model::BlockPlan& plan = source.block_plan();
  const bool shared = shares_workspace(options);
  const uint64_t forward = options.calibrate ? ForwardRooms(source, chunking, options.residency).bytes : 0;
  const auto shapes = stage_shapes(plan);
  uint64_t bytes = 0;
  for (size_t s = 0; s < shapes.size(); ++s) {
    const StagePlan& stage = plan.stages[s];
    const bool one_by_one = in_two_passes(options.residency, stage);
    const int64_t correction = correction_rows(stage, source.config(), options);
    const uint64_t statistics = shared ? StageStatistics::shared_bytes(stage.input, correction, one_by_one) : 0;
    bytes = std::max({bytes, statistics + forward,
                      awq::Solver::workspace_end(shapes[s], options.solve, shared, options.residency.parks_statistics(),
                                                 one_by_one)});
  }
  return bytes;
}

struct ParkedBytes {
  ParkedBytes(const model::BlockPlan& plan, const BlockQuantizerOptions& options) {
    for (const StagePlan& stage : plan.stages) {
      gram = std::max(gram, float_bytes(stage.input * stage.input));
      if (stage.linears.size() > 1 || !options.two_streams()) continue;
      target = std::max(target, float_bytes(plan.linear(stage.linears.front()).rows * stage.input));
    }
    if (options.solve.weakens()) factor = gram;
  }
  uint64_t gram = 0;
  uint64_t factor = 0;
  uint64_t target = 0;
};

// What is kept elsewhere, with its bytes.
std::vector<std::pair<Store, uint64_t>> stores_of(const ModelSource& source, const Chunking& chunking,
                                                  const BlockQuantizerOptions& options) {
  if (!options.calibrate) return {};
  const Residency& residency = options.residency;
  const ParkedBytes parked(source.block_plan(), options);
  const uint64_t states = HiddenStates::spilled_bytes(chunking, source.config().width);
  std::vector<std::pair<Store, uint64_t>> stores{{residency.statistics, parked.gram},
                                                 {residency.statistics, parked.factor},
                                                 {residency.statistics, parked.target},
                                                 {residency.hidden, states}};
  if (options.propagate != Propagate::kLinear) return stores;
  stores.emplace_back(residency.attention, HiddenStates::spilled_bytes(chunking, source.config().q_width()));
  if (options.two_streams()) stores.emplace_back(residency.original, states);
  return stores;
}

// Of the host's memory, for what goes to files; 0 where the device's is the host's.
uint64_t staging_bytes(const ModelSource& source, const Chunking& chunking, const BlockQuantizerOptions& options) {
  uint64_t bytes = 0;
  for (const auto& [store, size] : stores_of(source, chunking, options)) {
    if (options.staged && store == Store::kDisk) bytes = std::max(bytes, size);
  }
  return std::min(bytes, calibration::SpilledMatrix::kPieceBytes);
}

}  // namespace

double BlockOutcome::loss() const {
  double sum = 0;
  for (const auto& stage : stages) {
    for (const auto& linear : stage.linears) sum += linear.loss;
  }
  return sum;
}

double BlockOutcome::loss_rtn() const {
  double sum = 0;
  for (const auto& stage : stages) {
    for (const auto& linear : stage.linears) sum += linear.loss_rtn;
  }
  return sum;
}

void BlockQuantizer::plan_memory(const ModelSource& source, const Chunking& chunking,
                                 const BlockQuantizerOptions& options, MemoryPlan& plan) {
  const model::ModelConfig& config = source.config();
  const model::BlockPlan& block = source.block_plan();
  const Residency& residency = options.residency;
  const bool stream = residency.stream_weights;
  plan.add("job", stream ? "norms of a block, f32" : "weights of a block, f32",
           DeviceBlock::device_bytes(block, config, !stream), stream ? Placement::kStreamed : Placement::kHeld);
  plan.add("job", "codes, scales and zeros of a block", quantized_bytes(block, options.solve.spec));
  plan.add("job", "tile of a weight, f32", tile_room_bytes(block));
  plan.add("stage", shares_workspace(options) ? "statistics and workspace" : "workspace",
           workspace_bytes(source, chunking, options),
           residency.parks_statistics() ? Placement::kSpilled : Placement::kHeld);
  if (!options.calibrate) return;
  uint64_t host_bytes = 0;
  for (const auto& [store, bytes] : stores_of(source, chunking, options)) {
    if (store == Store::kDisk) plan.spill_bytes += bytes;
    if (store == Store::kHost) host_bytes += bytes;
  }
  if (host_bytes > 0) plan.add_host("job", "what the device has no room for", host_bytes);
  const uint64_t staging = staging_bytes(source, chunking, options);
  if (staging > 0) plan.add_host("job", "staging of what is spilled", staging);
  plan.add("job", stream ? "scales of a block" : "quantized weights of a block, f32",
           EffectiveBlock::device_bytes(block, !stream), stream ? Placement::kRecomputed : Placement::kHeld);
  const auto store = [&](const char* purpose, int64_t width, Store where) {
    const bool spilled = where != Store::kDevice;
    plan.add("job", purpose, HiddenStates::device_bytes(chunking, width, spilled),
             spilled ? Placement::kSpilled : Placement::kHeld);
  };
  store("hidden states", config.width, residency.hidden);
  plan.add("job", "fold check, rotary frequencies",
           float_bytes(3 * probe_tokens(chunking) * config.width + config.head_width / 2));
  if (options.propagate == Propagate::kLinear) {
    store("attention outputs", config.q_width(), residency.attention);
    plan.add("stage", "column sums", StageStatistics::own_bytes({widest_input(block), 0}));
    if (options.two_streams()) {
      store("hidden states of the original model", config.width, residency.original);
    }
  } else {
    uint64_t bytes = 0;
    for (const StagePlan& stage : block.stages) bytes += StageStatistics::device_bytes({stage.input, 0});
    plan.add("stage", "statistics of all stages", bytes);
  }
}

calibration::SpillPlace BlockQuantizer::place(Store store) const {
  using Kind = calibration::SpillPlace::Kind;
  const Kind kind = store == Store::kDisk ? Kind::kFile : store == Store::kHost ? Kind::kHost : Kind::kNone;
  return {kind, options_.residency.folder, options_.host_budget, {staging_.data(), staging_.size()}};
}

Result<std::unique_ptr<BlockQuantizer>> BlockQuantizer::create(backend::Device& device, const ModelSource& source,
                                                               const Chunking& chunking,
                                                               const BlockQuantizerOptions& options,
                                                               Reporter& reporter) {
  const model::ModelConfig& config = source.config();
  const model::BlockPlan& plan = source.block_plan();
  const Residency& residency = options.residency;
  std::unique_ptr<BlockQuantizer> self(new BlockQuantizer(device, source, options, reporter));
  if (const uint64_t staging = staging_bytes(source, chunking, options); staging > 0) {
    SCROOGE_ASSIGN_OR_RETURN(self->staging_, options.host_budget->allocate(staging, "staging of what is spilled"));
  }
  SCROOGE_ASSIGN_OR_RETURN(self->workspace_, device.allocate(workspace_bytes(source, chunking, options), "workspace"));
  SCROOGE_ASSIGN_OR_RETURN(self->tile_room_, device.allocate(tile_room_bytes(plan), "tile of a weight"));
  SCROOGE_ASSIGN_OR_RETURN(self->originals_,
                           DeviceBlock::create(device, plan, config, "weights of a block",
                                               residency.stream_weights ? self->tile_room_.get() : nullptr));
  if (residency.parks_statistics()) {
    const ParkedBytes parked(plan, options);
    const auto open = [&](uint64_t bytes, std::string_view purpose) {
      return calibration::SpilledMatrix::create(device, bytes, self->place(residency.statistics), purpose);
    };
    SCROOGE_ASSIGN_OR_RETURN(self->parking_.matrices.gram, open(parked.gram, "the Gram matrix"));
    if (parked.factor > 0) {
      SCROOGE_ASSIGN_OR_RETURN(self->parking_.matrices.factor, open(parked.factor, "the factor of the Gram matrix"));
    }
    SCROOGE_ASSIGN_OR_RETURN(self->parking_.target, open(parked.target, "corrected targets"));
  }
  self->solver_ = std::make_unique<awq::Solver>(device, options.solve, *self->workspace_,
                                                residency.parks_statistics() ? &self->parking_ : nullptr);
  if (!options.calibrate) return self;
  SCROOGE_ASSIGN_OR_RETURN(self->effective_,
                           EffectiveBlock::create(device, plan, !residency.stream_weights, *self->tile_room_));
  const auto store = [&](std::string_view purpose, int64_t width, Store where) {
    return HiddenStates::create(device, chunking, width, purpose, self->place(where));
  };
  SCROOGE_ASSIGN_OR_RETURN(self->hidden_, store("hidden states", config.width, residency.hidden));
  SCROOGE_ASSIGN_OR_RETURN(
      self->forward_, model::BlockForward::create(device, config, source.inv_freq(), chunk_shape(chunking, residency),
                                                  self->workspace_.get()));
  self->selection_ = calibration::TokenSelection(chunking, options.selection);
  self->probe_tokens_ = probe_tokens(chunking);
  SCROOGE_ASSIGN_OR_RETURN(self->probe_,
                           device.allocate(float_bytes(3 * self->probe_tokens_ * config.width), "fold check"));
  if (options.propagate == Propagate::kLinear) {
    SCROOGE_ASSIGN_OR_RETURN(self->attention_, store("attention outputs", config.q_width(), residency.attention));
    calibration::StatisticsShape shape{widest_input(plan), 0};
    for (const StagePlan& stage : plan.stages) {
      shape.correction = std::max(shape.correction, correction_rows(stage, config, options) * stage.input);
    }
    SCROOGE_ASSIGN_OR_RETURN(auto statistics, StageStatistics::create(device, shape, *self->workspace_));
    self->statistics_.push_back(std::move(statistics));
    if (options.two_streams()) {
      SCROOGE_ASSIGN_OR_RETURN(self->original_hidden_,
                               store("hidden states of the original model", config.width, residency.original));
    }
  } else {
    for (const StagePlan& stage : plan.stages) {
      SCROOGE_ASSIGN_OR_RETURN(auto statistics, StageStatistics::create(device, {stage.input, 0}));
      self->statistics_.push_back(std::move(statistics));
    }
  }
  return self;
}

// Room for a chunk beside the forward's scratch: 0 is as wide as the widest input, 1 as the model.
Matrix BlockQuantizer::chunk_room(int64_t index, int64_t rows, int64_t cols) const {
  const ForwardRooms rooms(source_, hidden_.chunking(), options_.residency);
  const uint64_t offset = forward_->workspace_begin() + (index == 0 ? rooms.first : rooms.second);
  return {workspace_.get(), offset, rows, cols, cols, DType::kF32};
}

Status BlockQuantizer::tick(const char* stage, double within_block) {
  const auto blocks = static_cast<double>(source_.config().blocks);
  return reporter_.report(Phase::kBlock, stage, (static_cast<double>(block_) + within_block) / blocks);
}

Status BlockQuantizer::embed(const calibration::TokenRows& rows) {
  constexpr size_t kPieceFloats = size_t{1} << 18;  // a megabyte, which no budget counts
  const auto width = static_cast<size_t>(source_.config().width);
  const size_t at_once = std::max<size_t>(1, kPieceFloats / width);
  std::vector<float> values(at_once * width);
  const Chunking& chunking = hidden_.chunking();
  for (int64_t chunk = 0; chunk < chunking.chunks(); ++chunk) {
    std::vector<Matrix> streams{hidden_.place(chunk)};
    if (options_.two_streams()) streams.push_back(original_hidden_.place(chunk));
    const auto first = static_cast<size_t>(chunking.first_token(chunk));
    const auto tokens = static_cast<size_t>(streams.front().rows);
    for (size_t t = 0; t < tokens; t += std::min(at_once, tokens - t)) {
      const size_t count = std::min(at_once, tokens - t);
      const std::span<float> piece = std::span(values).first(count * width);
      for (size_t i = 0; i < count; ++i) {
        SCROOGE_RETURN_IF_ERROR(
            source_.read_rows(model::kEmbeddingName, rows.ids[first + t + i], 1, piece.subspan(i * width, width)));
      }
      for (const Matrix& h : streams) {
        SCROOGE_RETURN_IF_ERROR(device_.upload(*h.buffer, h.offset + t * width * sizeof(float), std::as_bytes(piece)));
      }
    }
    SCROOGE_RETURN_IF_ERROR(hidden_.store(chunk));
    if (options_.two_streams()) SCROOGE_RETURN_IF_ERROR(original_hidden_.store(chunk));
    SCROOGE_RETURN_IF_ERROR(reporter_.report(Phase::kPrepare, "embedding", 0));
  }
  source_.drop(model::kEmbeddingName);
  return {};
}

Status BlockQuantizer::round_to_nearest(BlockOutcome& outcome) {
  const Stopwatch watch;
  for (const StagePlan& stage : source_.block_plan().stages) {
    awq::StageSolution solution;
    solution.choice.scale.assign(static_cast<size_t>(stage.input), 1.0f);
    for (const LinearRole role : stage.linears) {
      const awq::LinearProblem problem{source_.block_plan().linear(role).name, &originals_.weights().linear(role)};
      SCROOGE_ASSIGN_OR_RETURN(awq::LinearSolution linear, solver_->round_to_nearest(problem));
      solution.linears.push_back(std::move(linear));
    }
    outcome.stages.push_back(std::move(solution));
  }
  outcome.quantize_seconds += watch.seconds();
  return {};
}

Status BlockQuantizer::save_probe() {
  SCROOGE_ASSIGN_OR_RETURN(const Matrix h, hidden_.load(0));
  return device_.copy(*h.buffer, h.offset, *probe_, 0, float_bytes(probe_tokens_ * h.cols));
}

Matrix BlockQuantizer::probe(int64_t index) const {
  const int64_t width = source_.config().width;
  return {probe_.get(), float_bytes(index * probe_tokens_ * width), probe_tokens_, width, width, DType::kF32};
}

// The probe through the calibrated block, while its linears are as they were calibrated.
Status BlockQuantizer::run_calibrated_probe() {
  const uint64_t bytes = probe(1).offset;
  SCROOGE_RETURN_IF_ERROR(device_.copy(*probe_, 0, *probe_, bytes, bytes));
  SCROOGE_RETURN_IF_ERROR(device_.copy(*probe_, 0, *probe_, 2 * bytes, bytes));
  BlockWeights calibrated = originals_.weights();
  calibrated.linears = effective_.linears();
  return forward_->run(source_.block_plan(), calibrated, probe(1), probe_tokens_, Precision::kExact);
}

// The block as the file states it; norms and biases go where the original ones were.
Status BlockQuantizer::load_folded(const awq::FoldedBlock& folded) {
  const BlockWeights& to = originals_.weights();
  for (size_t i = 0; i < folded.quantized.size(); ++i) {
    SCROOGE_RETURN_IF_ERROR(effective_.set_folded(static_cast<LinearRole>(i), *folded.quantized[i]));
    if (!folded.biases[i].empty()) {
      SCROOGE_RETURN_IF_ERROR(
          device_.upload(*to.biases[i].buffer, to.biases[i].offset, std::as_bytes(std::span(folded.biases[i]))));
    }
  }
  for (size_t i = 0; i < folded.norms.size(); ++i) {
    SCROOGE_RETURN_IF_ERROR(
        device_.upload(*to.norms[i].buffer, to.norms[i].offset, std::as_bytes(std::span(folded.norms[i]))));
  }
  return {};
}

// The folded block must compute what the calibrated one did. Group scales of v and up were rounded once more, so the
// two differ by a few parts in ten thousand (fp16 scales) or a thousand (bf16); a scale folded into the wrong place is
// off by tenths.
Status BlockQuantizer::check_fold(int64_t block, BlockOutcome& outcome) {
  constexpr double kTolerance = 0.02;
  SCROOGE_RETURN_IF_ERROR(load_folded(outcome.folded));
  BlockWeights folded = originals_.weights();
  folded.linears = effective_.linears();
  SCROOGE_RETURN_IF_ERROR(forward_->run(source_.block_plan(), folded, probe(2), probe_tokens_, Precision::kExact));
  double change = 0;
  double difference = 0;
  SCROOGE_RETURN_IF_ERROR(device_.reduce({probe(1), probe(0), backend::ReduceParams::Kind::kSumSquaredDiff, &change}));
  SCROOGE_RETURN_IF_ERROR(
      device_.reduce({probe(1), probe(2), backend::ReduceParams::Kind::kSumSquaredDiff, &difference}));
  SCROOGE_RETURN_IF_ERROR(device_.synchronize());
  outcome.fold_error = change > 0 ? std::sqrt(difference / change) : 0;
  if (!(outcome.fold_error <= kTolerance)) {
    return error(StatusCode::kInternal, "block ", block, ": folding the scales changed the block's output by ",
                 format_fixed(100 * outcome.fold_error, 2), " %; nothing was written, please report this model");
  }
  return {};
}

// Of the linears whose rows a later stage's scale is folded into.
Status BlockQuantizer::keep_unfolded(BlockOutcome& outcome) const {
  const model::BlockPlan& plan = source_.block_plan();
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    for (size_t i = 0; i < plan.stages[s].linears.size(); ++i) {
      const LinearRole role = plan.stages[s].linears[i];
      if (role != LinearRole::kV && role != LinearRole::kUp) continue;
      const Matrix scales = outcome.stages[s].linears[i].quantized.scales();
      UnfoldedScales& kept = outcome.unfolded.emplace_back();
      kept.linear = static_cast<size_t>(role);
      kept.scales.resize(static_cast<size_t>(scales.rows * scales.cols));
      SCROOGE_RETURN_IF_ERROR(
          device_.download(*scales.buffer, scales.offset, std::as_writable_bytes(std::span(kept.scales))));
    }
  }
  return {};
}

Result<BlockOutcome> BlockQuantizer::quantize(int64_t block) {
  block_ = block;
  BlockOutcome outcome;
  outcome.stages.reserve(source_.block_plan().stages.size());
  const Stopwatch watch;
  SCROOGE_RETURN_IF_ERROR(originals_.load(source_, block));
  prefetch_block(source_, block + 1);
  outcome.calibrate_seconds = watch.seconds();
  if (options_.saved != nullptr) {
    SCROOGE_RETURN_IF_ERROR(reapply(block, outcome));
  } else if (!options_.calibrate) {
    SCROOGE_RETURN_IF_ERROR(round_to_nearest(outcome));
  } else {
    SCROOGE_RETURN_IF_ERROR(drop_outliers());
    SCROOGE_RETURN_IF_ERROR(save_probe());
    if (options_.propagate == Propagate::kLinear) {
      SCROOGE_RETURN_IF_ERROR(calibrate_by_linear(block, outcome));
    } else {
      SCROOGE_RETURN_IF_ERROR(calibrate_by_block(block, outcome));
    }
  }
  const Stopwatch fold_watch;
  if (options_.calibrate) {
    SCROOGE_RETURN_IF_ERROR(keep_unfolded(outcome));
    SCROOGE_RETURN_IF_ERROR(run_calibrated_probe());
  }
  SCROOGE_ASSIGN_OR_RETURN(outcome.folded, awq::fold_block(device_, source_.config(), source_.block_plan(),
                                                           originals_.weights(), outcome.stages));
  if (options_.calibrate) SCROOGE_RETURN_IF_ERROR(check_fold(block, outcome));
  outcome.quantize_seconds += fold_watch.seconds();
  return outcome;
}

}  // namespace scrooge::pipeline
