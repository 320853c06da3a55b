// SPDX-License-Identifier: Apache-2.0
// What a job holds in memory, and what it keeps elsewhere or makes again each time. Results are the same either way;
// the least time that fits the budgets decides.
#pragma once

#include <string>
#include <vector>

#include "src/calibration/hidden_states.h"
#include "src/model/block_plan.h"

namespace scrooge::pipeline {

// Where something large is kept: where the device works on it, or elsewhere, from where it comes a chunk or a tile at a
// time.
enum class Store : int32_t {
  kDevice = 0,
  kDisk = 1,
  kHost = 2,  // only for a device with memory of its own
};

struct Residency {
  std::string folder;  // of spill files
  Store hidden = Store::kDevice;
  Store original = Store::kDevice;    // the original model's hidden states
  Store attention = Store::kDevice;   // the outputs of attention
  bool stream_weights = false;        // linears are read, and made of their codes, a tile of rows at a time
  Store statistics = Store::kDevice;  // elsewhere: awq::Solver::Parking
  bool half_chunks = false;           // the forward works on half a chunk at a time where it can
  // The widest stage's Gram matrix and its correction, each in a pass over the tokens. REQUIRES: statistics elsewhere.
  bool two_passes = false;

  bool parks_statistics() const { return statistics != Store::kDevice; }
};

// Whether a stage's statistics are gathered in two passes: that of the linear with the widest input, alone in its
// stage.
bool in_two_passes(const Residency& residency, const model::StagePlan& stage);

// "weights streamed; with the host: hidden states": what is not simply held, for people.
std::string residency_text(const Residency& residency);

// All choices that are open, the one that holds everything first; without a folder nothing can be on disk.
struct OpenChoices {
  bool two_streams = false;
  bool keeps_attention = false;
  bool has_factor = false;  // of a Gram matrix that could make room for it
  bool own_memory = false;  // of the device: the host's is a place too
  bool half_chunks = false;
};
std::vector<Residency> all_residencies(const std::string& folder, const OpenChoices& open);

// What going on after an interruption starts from.
enum class StatesPolicy : int32_t {
  kAuto = 0,    // kept where that is cheap beside the work of a block
  kKeep = 1,    // hidden states are written beside the output behind every block (DurableStates)
  kReplay = 2,  // finished blocks are run again
};
bool keeps_states(StatesPolicy policy, const model::ModelConfig& config, const model::BlockPlan& plan,
                  bool two_streams);

// What a choice costs beyond holding everything, in seconds a block: bytes over rates, README.md.
double extra_seconds(const Residency& residency, const model::ModelConfig& config, const model::BlockPlan& plan,
                     const calibration::Chunking& chunking);

}  // namespace scrooge::pipeline
