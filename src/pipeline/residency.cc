// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/residency.h"

#include <string_view>
#include <utility>

namespace scrooge::pipeline {

namespace {

// How often a block moves each: the loops of README.md counted.
constexpr double kHiddenMoves = 8;
constexpr double kHiddenMovesAgain = 1;  // for the second pass of a stage
constexpr double kOriginalMoves = 6;
constexpr double kAttentionMoves = 2;
constexpr double kWeightMoves = 3;
constexpr double kGramMoves = 8;  // written once, read four times; its factor written once, read twice
constexpr double kTargetMoves =
    18;  // the correction written and read, the target written, then a pass of the solve each

// Deliberately those of a small board: a choice that is a little slow on a fast machine costs nothing there.
constexpr double kDiskBytes = 200e6;  // a second, read or written
constexpr double kReadBytes = 250e6;  // a second, read from a checkpoint or made of codes
constexpr double kLinkBytes = 4e9;    // a second, between the memories of device and host
constexpr double kHalfChunk = 1e-4;   // seconds that cutting one chunk of the forward in two costs

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
  const auto stores = [&](bool movable) {
    std::vector<Store> result{Store::kDevice};
    if (movable && !folder.empty()) result.push_back(Store::kDisk);
    if (movable && open.own_memory) result.push_back(Store::kHost);
    return result;
  };
  const std::vector<bool> halves = open.half_chunks ? std::vector{false, true} : std::vector{false};
  std::vector<Residency> result;
  for (const bool stream : {false, true}) {
    for (const Store statistics : stores(open.has_factor)) {
      for (const Store hidden : stores(true)) {
        for (const Store original : stores(open.two_streams)) {
          for (const Store attention : stores(open.keeps_attention)) {
            for (const bool half : halves) {
              result.push_back({folder, hidden, original, attention, stream, statistics, half, false});
              if (statistics == Store::kDevice || !open.two_streams) continue;
              result.push_back(result.back());
              result.back().two_passes = true;
            }
          }
        }
      }
    }
  }
  return result;
}

bool in_two_passes(const Residency& residency, const model::StagePlan& stage) {
  return residency.two_passes && stage.producer == model::Producer::kGate;
}

std::string residency_text(const Residency& residency) {
  std::string text;
  const auto add = [&](std::string_view part) { text += concat(text.empty() ? "" : "; ", part); };
  if (residency.half_chunks) add("half a chunk at a time");
  if (residency.stream_weights) add("weights streamed");
  if (residency.two_passes) add("statistics in two passes");
  for (const auto& [store, where] : {std::pair(Store::kHost, "with the host: "), {Store::kDisk, "on disk: "}}) {
    std::string names;
    const auto name = [&names, place = store](Store kept, std::string_view what) {  // clang 14 captures no binding
      if (kept == place) names += concat(names.empty() ? "" : ", ", what);
    };
    name(residency.hidden, "hidden states");
    name(residency.original, "those of the original model");
    name(residency.attention, "attention outputs");
    name(residency.statistics, "statistics");
    if (!names.empty()) add(concat(where, names));
  }
  return text.empty() ? "all held" : text;
}

double extra_seconds(const Residency& residency, const model::ModelConfig& config, const model::BlockPlan& plan,
                     const calibration::Chunking& chunking) {
  double seconds = 0;
  const auto move = [&](Store store, double bytes) {
    if (store == Store::kDisk) seconds += bytes / kDiskBytes;
    if (store == Store::kHost) seconds += bytes / kLinkBytes;
  };
  const auto store_bytes = [&](int64_t width) {
    return static_cast<double>(calibration::HiddenStates::spilled_bytes(chunking, width));
  };
  move(residency.hidden, kHiddenMoves * store_bytes(config.width));
  move(residency.original, kOriginalMoves * store_bytes(config.width));
  move(residency.attention, kAttentionMoves * store_bytes(config.q_width()));
  for (const model::StagePlan& stage : plan.stages) {
    const auto k = static_cast<double>(stage.input);
    move(residency.statistics, kGramMoves * k * k * sizeof(float));
    if (in_two_passes(residency, stage)) {
      // Once more through the linears before it, and with streamed weights these once more a chunk.
      const double weights =
          2 * static_cast<double>(plan.linear(model::LinearRole::kGate).rows) * static_cast<double>(config.width);
      seconds += 2 * static_cast<double>(chunking.tokens()) * weights / kFlops;
      if (residency.stream_weights) seconds += weights * static_cast<double>(chunking.chunks()) / kReadBytes;
      move(residency.hidden, kHiddenMovesAgain * store_bytes(config.width));
    }
    if (stage.linears.size() != 1) continue;
    move(residency.statistics, kTargetMoves * static_cast<double>(config.width) * k * sizeof(float));
  }
  const auto chunks = static_cast<double>(chunking.chunks());
  double weights = 0;
  if (residency.stream_weights) {
    for (const model::LinearPlan& linear : plan.linears) {
      weights += kWeightMoves * static_cast<double>(linear.rows * linear.cols);
    }
  }
  if (residency.half_chunks) seconds += kHalfChunk * chunks;
  return seconds + weights * chunks / kReadBytes;
}

}  // namespace scrooge::pipeline
