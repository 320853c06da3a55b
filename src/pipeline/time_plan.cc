// SPDX-License-Identifier: Apache-2.0
// T tokens, N rows and K columns of a linear, g its group. The passes of the loops in README.md are counted; what each
// op reaches of the rate of a large product was measured on the cpu backend (its README, tests/bench).
#include "src/pipeline/time_plan.h"

#include <algorithm>
#include <string_view>

namespace scrooge::pipeline {

using calibration::Chunking;
using model::Producer;
using model::StagePlan;

namespace {

// Shares of the rate of a product in the caches at the same precision: a compromise between an AMD Zen 4 and an Intel
// Xeon with AMX, whose fast products gain less where memory counts.
constexpr double kGemm = 0.7;  // of a chunk
constexpr double kGram = 0.7;  // counted once, for it is symmetric
constexpr double kAttention = 0.6;
constexpr double kSearchFast = 0.5;
constexpr double kSearchExact = 0.7;
constexpr double kLoss = 0.75;
constexpr double kClip = 0.5;
constexpr double kFactor = 0.14;
constexpr double kGptq = 0.45;
constexpr double kRefine = 0.4;
constexpr double kRefit = 0.7;

constexpr double kReadWeights = 250e6;  // a second, from a checkpoint, as f32
constexpr double kFileBytes = 400e6;    // a second, read and hashed, or written and synced

// Of the search, as src/awq/README.md has it.
constexpr double kSampledRows = 0.25;
constexpr double kFinalists = 7;
constexpr double kNearer = 4;
constexpr double kStrengths = 5;

// Passes of bytes over the weights in one step of a linear: what it scales, rounds, dequantizes and copies.
constexpr double kStepBytes = 24;

enum Purpose {
  kForward,
  kStatistics,
  kSearch,
  kClipSearch,
  kNearest,
  kSecondOrder,
  kDescent,
  kRefitting,
  kCorrection,
  kHeldOut,
  kReading,
  kMoving,
  kWriting,
  kPurposes
};

constexpr const char* kNames[kPurposes] = {"forward passes",
                                           "statistics",
                                           "scale search",
                                           "clip search",
                                           "rounding to nearest",
                                           "second-order rounding",
                                           "descent on the codes",
                                           "scales refitted",
                                           "error correction",
                                           "held-out check",
                                           "reading weights",
                                           "moving what is not held",
                                           "writing"};

class Clock {
 public:
  explicit Clock(const DeviceRates& rates) : rates_(rates) {}
  void exact(Purpose purpose, double operations, double share) { add(purpose, operations / (share * rates_.exact)); }
  void fast(Purpose purpose, double operations, double share) { add(purpose, operations / (share * rates_.fast)); }
  void bytes(Purpose purpose, double bytes) { add(purpose, bytes / rates_.bytes); }
  void add(Purpose purpose, double seconds) { seconds_[purpose] += seconds; }
  const double* seconds() const { return seconds_; }

 private:
  const DeviceRates& rates_;
  double seconds_[kPurposes] = {};
};

bool writes_residual(const StagePlan& stage) {
  return stage.producer == Producer::kAttention || stage.producer == Producer::kGate;
}

double weights_of(const model::BlockPlan& plan, const StagePlan& stage) {
  double weights = 0;
  for (const model::LinearRole role : stage.linears) {
    weights += static_cast<double>(plan.linear(role).rows * plan.linear(role).cols);
  }
  return weights;
}

// One block of the model.
class BlockClock {
 public:
  BlockClock(const ModelSource& source, const Chunking& chunking, const BlockQuantizerOptions& options, Clock& clock)
      : config_(source.config()),
        plan_(source.block_plan()),
        options_(options),
        solve_(options.solve),
        clock_(clock),
        tokens_(static_cast<double>(chunking.tokens())),
        sequence_(static_cast<double>(chunking.sequence)),
        quantized_seen_(options.propagate == Propagate::kLinear) {}

  void calibrate() {
    const bool two = options_.two_streams();
    for (const StagePlan& stage : plan_.stages) {
      produce(stage, kForward);
      statistics(stage);
      solve(stage);
      check(stage);
      if (writes_residual(stage)) consume(stage, kForward);
      // The input of o is kept until its linear is quantized, that of down is made again.
      if (quantized_seen_ && stage.producer == Producer::kGate) produce(stage, kForward);
      if (two) correct(stage);
    }
    if (options_.propagate == Propagate::kBlock) {  // once more, with the quantized block
      for (const StagePlan& stage : plan_.stages) {
        produce(stage, kForward);
        if (writes_residual(stage)) consume(stage, kForward);
      }
    }
  }

  // Without calibration: each linear rounded once.
  void round() {
    for (const StagePlan& stage : plan_.stages) clock_.bytes(kNearest, kStepBytes * weights_of(plan_, stage));
  }

 private:
  void linears(const StagePlan& of, Purpose purpose) {
    clock_.fast(purpose, 2 * tokens_ * weights_of(plan_, of), kGemm);
  }

  // A stage's input out of what the stage before it computes.
  void produce(const StagePlan& stage, Purpose purpose) {
    const auto width = static_cast<double>(config_.width);
    clock_.bytes(purpose, 2 * sizeof(float) * tokens_ * width);
    for (const StagePlan& other : plan_.stages) {
      const bool reads = (stage.producer == Producer::kAttention && other.producer == Producer::kInputNorm) ||
                         (stage.producer == Producer::kGate && other.producer == Producer::kPostNorm);
      if (reads) linears(other, purpose);
    }
    if (stage.producer == Producer::kAttention) {
      // Half of the products with keys and with values is behind the diagonal.
      clock_.exact(purpose, 2 * tokens_ * sequence_ * static_cast<double>(config_.q_width()), kAttention);
    }
    if (stage.producer == Producer::kGate) {
      clock_.bytes(purpose, 3 * sizeof(float) * tokens_ * static_cast<double>(config_.feed_forward));
    }
  }

  void consume(const StagePlan& stage, Purpose purpose) { linears(stage, purpose); }

  void statistics(const StagePlan& stage) {
    const auto k = static_cast<double>(stage.input);
    clock_.fast(kStatistics, tokens_ * k * k, kGram);
    clock_.bytes(kStatistics, 2 * sizeof(float) * tokens_ * k);
  }

  // The original stream past the stage, the sums of what its outputs should change by, and the targets.
  void correct(const StagePlan& stage) {
    const auto k = static_cast<double>(stage.input);
    const double weights = weights_of(plan_, stage);
    produce(stage, kCorrection);
    if (writes_residual(stage)) {
      consume(stage, kCorrection);
      consume(stage, kCorrection);  // of the difference
    }
    const double outputs = writes_residual(stage) ? static_cast<double>(config_.width) : k;
    clock_.fast(kCorrection, 2 * tokens_ * outputs * k, kGram);
    clock_.bytes(kCorrection, 6 * sizeof(float) * tokens_ * (k + outputs));
    clock_.exact(kCorrection, (writes_residual(stage) ? 4 : 6) * weights * k, kGemm);
    // Second-order rounding factors the same matrix for the strength of the scale.
    if (!(solve_.rounding->needs_factor && solve_.grid >= 2)) factor(stage, kCorrection);
  }

  void factor(const StagePlan& stage, Purpose purpose) {
    const auto k = static_cast<double>(stage.input);
    clock_.exact(purpose, 2.0 / 3 * k * k * k, kFactor);
  }

  // A step of a linear and its loss, by which it is kept or not.
  void step(Purpose purpose, double weights, double k) {
    clock_.exact(purpose, weights * k, kLoss);
    clock_.bytes(purpose, kStepBytes * weights);
  }

  void solve(const StagePlan& stage) {
    const auto k = static_cast<double>(stage.input);
    const double weights = weights_of(plan_, stage);
    const auto candidates = static_cast<double>(awq::ScaleSearch::max_candidates(solve_.grid));
    if (candidates > kFinalists) {
      clock_.fast(kSearch, candidates * kSampledRows * weights * k, kSearchFast);
      clock_.exact(kSearch, (kFinalists + kNearer) * weights * k, kSearchExact);
    } else {
      clock_.exact(kSearch, candidates * weights * k, kSearchExact);
    }
    step(kNearest, weights, k);  // of the weights as they are, to compare with
    step(kNearest, weights, k);
    if (solve_.clip) {
      const auto group = static_cast<double>(solve_.spec.group_length(stage.input));
      const auto ranges = static_cast<double>(awq::clip_candidates().size());
      clock_.exact(kClipSearch, ranges * weights * (group + 64), kClip);
      step(kClipSearch, weights, k);
    }
    if (solve_.rounding->needs_factor) {
      factor(stage, kSecondOrder);
      if (solve_.grid >= 2) {
        factor(stage, kSecondOrder);
        clock_.exact(kSecondOrder, kStrengths * kSampledRows * weights * k, kGptq);
        step(kSecondOrder, kStrengths * kSampledRows * weights, k);
      }
      clock_.exact(kSecondOrder, weights * k, kGptq);
      step(kSecondOrder, weights, k);
    } else if (solve_.rounding->needs_mean) {
      step(kNearest, weights, k);
    }
    const int rounds = std::max(1, solve_.refit);
    for (int round = 0; round < rounds; ++round) {
      if (solve_.refine > 0) {
        clock_.exact(kDescent, 2 * weights * k, kRefine);
        step(kDescent, weights, k);
      }
      if (solve_.refit > 0) {
        clock_.exact(kRefitting, 2 * weights * k, kRefit);
        step(kRefitting, weights, k);
      }
    }
  }

  void check(const StagePlan& stage) {
    if (options_.selection.held_out <= 0) return;
    const auto k = static_cast<double>(stage.input);
    const double weights = weights_of(plan_, stage);
    step(kHeldOut, weights, k);
    step(kHeldOut, weights, k);
    if (options_.two_streams() && !writes_residual(stage)) clock_.exact(kHeldOut, 2 * weights * k, kGemm);
  }

  const model::ModelConfig& config_;
  const model::BlockPlan& plan_;
  const BlockQuantizerOptions& options_;
  const awq::SolveOptions& solve_;
  Clock& clock_;
  const double tokens_;
  const double sequence_;
  const bool quantized_seen_;  // by later linears of the block
};

Clock count(const ModelSource& source, const Chunking& chunking, const BlockQuantizerOptions& options,
            uint64_t output_bytes, const DeviceRates& rates) {
  Clock clock(rates);
  Clock block(rates);
  const model::ModelConfig& config = source.config();
  const model::BlockPlan& plan = source.block_plan();
  BlockClock of_block(source, chunking, options, block);
  if (options.calibrate) {
    of_block.calibrate();
    block.add(kMoving, extra_seconds(options.residency, config, plan, chunking));
  } else {
    of_block.round();
  }
  for (const StagePlan& stage : plan.stages) block.add(kReading, weights_of(plan, stage) / kReadWeights);
  for (int purpose = 0; purpose < kPurposes; ++purpose) {
    clock.add(static_cast<Purpose>(purpose), static_cast<double>(config.blocks) * block.seconds()[purpose]);
  }
  double source_bytes = 0;  // for the digest
  for (const SourceFile& file : source.files()) source_bytes += static_cast<double>(file.identity.size);
  clock.add(kReading, source_bytes / kFileBytes);
  clock.add(kWriting, static_cast<double>(output_bytes) / kFileBytes);
  return clock;
}

}  // namespace

TimePlan plan_time(const ModelSource& source, const Chunking& chunking, const BlockQuantizerOptions& options,
                   uint64_t output_bytes, const DeviceRates& rates) {
  TimePlan plan;
  plan.rates = rates;
  const Clock clock = count(source, chunking, options, output_bytes, rates);
  for (int purpose = 0; purpose < kPurposes; ++purpose) {
    const double seconds = clock.seconds()[purpose];
    if (seconds > 0) plan.items.push_back({kNames[purpose], seconds});
  }
  if (!options.calibrate) return plan;
  BlockQuantizerOptions fast = options;
  fast.solve.rounding = &awq::kNearest;
  fast.solve.correct = 0;
  fast.solve.refine = fast.solve.refit = 0;
  const Clock fast_clock = count(source, chunking, fast, output_bytes, rates);
  for (int purpose = 0; purpose < kPurposes; ++purpose) plan.fast_seconds += fast_clock.seconds()[purpose];
  return plan;
}

double TimePlan::seconds() const {
  double sum = 0;
  for (const TimeItem& item : items) sum += item.seconds;
  return sum;
}

double TimePlan::seconds_of(std::string_view purpose) const {
  for (const TimeItem& item : items) {
    if (purpose == item.purpose) return item.seconds;
  }
  return 0;
}

void TimePlan::write_json(JsonWriter& json) const {
  json.field("estimated_seconds", seconds()).field("estimated_seconds_fast", fast_seconds);
  json.field("estimated_ratio", fast_seconds > 0 ? seconds() / fast_seconds : 0.0);
  json.key("rates").begin_object().field("exact", rates.exact).field("fast", rates.fast).field("bytes", rates.bytes);
  json.field("measured", rates.measured).end_object();
  json.key("time_items").begin_array();
  for (const TimeItem& item : items) {
    json.begin_object().field("work", std::string_view(item.purpose)).field("seconds", item.seconds).end_object();
  }
  json.end_array();
}

}  // namespace scrooge::pipeline
