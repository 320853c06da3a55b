// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/residency.h"

namespace scrooge::pipeline {

namespace {

// How often a block moves each: the loops of README.md counted.
constexpr double kHiddenMoves = 8;
constexpr double kOriginalMoves = 6;
constexpr double kAttentionMoves = 2;
constexpr double kWeightMoves = 3;
constexpr double kGramMoves = 3;
constexpr double kTargetMoves =
    13;  // one writing and reading of the correction, then of the target a pass of the search

// Deliberately those of a small board: a choice that is a little slow on a fast machine costs nothing there.
constexpr double kDiskBytes = 200e6;  // a second, read or written
constexpr double kReadBytes = 250e6;  // a second, read from a checkpoint or made of codes

// Kept states may cost this share of the time; more than it they are not worth where nothing interrupts the job.
constexpr double kStatesShare = 0.02;
constexpr double kFlops = 100e9;  // a second; less, on a small board, only speaks for keeping
constexpr double kPasses = 3;     // of a chunk through the block, for each stream; what the solve takes comes on top

}  // namespace

// The tokens cancel out.
bool keeps_states(StatesPolicy policy, const model::ModelConfig& config, const model::BlockPlan& plan,
                  bool two_streams) {
  if (policy != StatesPolicy::kAuto) return policy == StatesPolicy::kKeep;
  const double streams = two_streams ? 2 : 1;
  double weights = 0;
  for (const model::LinearPlan& linear : plan.linears) weights += static_cast<double>(linear.rows * linear.cols);
  const double write = streams * static_cast<double>(config.width) * sizeof(float) / kDiskBytes;
  const double work = streams * kPasses * 2 * weights / kFlops;
  return write <= kStatesShare * work;
}

std::vector<Residency> all_residencies(const std::string& folder, const OpenChoices& open) {
  enum : unsigned { kAttentionBit = 1, kOriginalBit = 2, kHiddenBit = 4, kStatisticsBit = 8, kWeightsBit = 16 };
  unsigned closed = folder.empty() ? kAttentionBit | kOriginalBit | kHiddenBit | kStatisticsBit : 0;
  if (!open.keeps_attention) closed |= kAttentionBit;
  if (!open.two_streams) closed |= kOriginalBit;
  if (!open.has_factor) closed |= kStatisticsBit;
  std::vector<Residency> result;
  for (unsigned choice = 0; choice < 2 * kWeightsBit; ++choice) {
    if ((choice & closed) != 0) continue;
    result.push_back({folder, (choice & kHiddenBit) != 0, (choice & kOriginalBit) != 0, (choice & kAttentionBit) != 0,
                      (choice & kWeightsBit) != 0, (choice & kStatisticsBit) != 0});
  }
  return result;
}

double extra_seconds(const Residency& residency, const model::ModelConfig& config, const model::BlockPlan& plan,
                     const calibration::Chunking& chunking) {
  const auto store_bytes = [&](int64_t width) {
    return static_cast<double>(calibration::HiddenStates::disk_bytes(chunking, width));
  };
  double bytes = 0;
  if (residency.spill_hidden) bytes += kHiddenMoves * store_bytes(config.width);
  if (residency.spill_original) bytes += kOriginalMoves * store_bytes(config.width);
  if (residency.spill_attention) bytes += kAttentionMoves * store_bytes(config.q_width());
  if (residency.park_statistics) {
    for (const model::StagePlan& stage : plan.stages) {
      const auto k = static_cast<double>(stage.input);
      bytes += kGramMoves * k * k * sizeof(float);
      if (stage.linears.size() == 1) bytes += kTargetMoves * static_cast<double>(config.width) * k * sizeof(float);
    }
  }
  double weights = 0;
  if (residency.stream_weights) {
    for (const model::LinearPlan& linear : plan.linears) {
      weights += kWeightMoves * static_cast<double>(linear.rows * linear.cols);
    }
  }
  return bytes / kDiskBytes + weights * static_cast<double>(chunking.chunks()) / kReadBytes;
}

}  // namespace scrooge::pipeline
