// SPDX-License-Identifier: Apache-2.0
// What a job holds in memory, and what it keeps on disk or makes again each time. Results are the same either way; the
// least time that fits the budget decides.
#pragma once

#include <string>
#include <vector>

#include "src/calibration/hidden_states.h"
#include "src/model/block_plan.h"

namespace scrooge::pipeline {

struct Residency {
  std::string folder;  // of spill files
  bool spill_hidden = false;
  bool spill_original = false;   // the original model's hidden states
  bool spill_attention = false;  // the outputs of attention
  bool stream_weights = false;   // linears are read, and made of their codes, a tile of rows at a time
  bool park_statistics = false;  // awq::Solver::Parking
};

// All choices that are open, the one that holds everything first; without a folder nothing can be spilled.
struct OpenChoices {
  bool two_streams = false;
  bool keeps_attention = false;
  bool has_factor = false;  // of a Gram matrix that could make room for it
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
