// SPDX-License-Identifier: Apache-2.0
// Calibrates and solves one block after another: the five stages of the method on the hidden states of all calibration
// tokens (src/pipeline/README.md draws them).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "src/awq/fold.h"
#include "src/calibration/hidden_states.h"
#include "src/calibration/stage_statistics.h"
#include "src/calibration/token_rows.h"
#include "src/calibration/token_selection.h"
#include "src/pipeline/device_block.h"
#include "src/pipeline/effective_block.h"
#include "src/pipeline/memory_plan.h"
#include "src/pipeline/progress.h"
#include "src/pipeline/residency.h"

namespace scrooge::pipeline {

class SavedCalibration;

enum class Propagate : int32_t { kLinear = 0, kBlock = 1, kNone = 2 };

struct BlockQuantizerOptions {
  awq::SolveOptions solve;
  bool calibrate = true;  // false: no forward pass
  // Without calibrating: what to apply again instead of round-to-nearest; null: nothing. Must outlive the quantizer.
  const SavedCalibration* saved = nullptr;
  Propagate propagate = Propagate::kLinear;
  calibration::SelectionOptions selection;
  Residency residency;
  bool staged = false;  // what goes between the device and a file is staged in the host's memory
  // Of the host's memory, for what is kept or staged there. Only create() asks for it.
  MemoryBudget* host_budget = nullptr;

  // The original model runs beside the quantized one. REQUIRES: propagate is kLinear when solve.correct > 0.
  bool two_streams() const { return calibrate && solve.correct > 0; }
};

// Group scales [N,P] of a linear as they were before a later stage's scale was folded into its rows.
struct UnfoldedScales {
  size_t linear = 0;  // index into BlockPlan::linears
  std::vector<float> scales;
};

struct BlockOutcome {
  std::vector<awq::StageSolution> stages;  // in the order of the block plan
  awq::FoldedBlock folded;                 // points into `stages`
  std::vector<UnfoldedScales> unfolded;    // of v and up; only when calibrated
  double calibrate_seconds = 0;
  double quantize_seconds = 0;
  double fold_error = 0;  // see check_fold
  uint64_t tokens = 0;    // that entered the statistics

  double loss() const;  // sums over the linears
  double loss_rtn() const;
};

// A block that an earlier process finished.
struct FinishedBlock {
  std::vector<std::vector<float>> scales;  // s[K] of every stage
  // Codes, zeros and unfolded scales of a linear, by its index in BlockPlan::linears.
  std::function<Status(size_t linear, const awq::QuantizedLinear& to)> load;
};

// One thread. Device and source must outlive it.
class BlockQuantizer {
 public:
  // Everything create() and quantize() allocate, added to the plan.
  static void plan_memory(const ModelSource& source, const calibration::Chunking& chunking,
                          const BlockQuantizerOptions& options, MemoryPlan& plan);
  static Result<std::unique_ptr<BlockQuantizer>> create(backend::Device& device, const ModelSource& source,
                                                        const calibration::Chunking& chunking,
                                                        const BlockQuantizerOptions& options, Reporter& reporter);

  // Fills the hidden states from the embedding table.
  Status embed(const calibration::TokenRows& rows);
  // Loads, calibrates, solves and folds block `block`, and moves the hidden states past it.
  Result<BlockOutcome> quantize(int64_t block);
  // What the next block begins with: one store, or both streams'.
  std::vector<calibration::HiddenStates*> states();
  // Instead of quantize(), for a block that is finished: moves the hidden states past it.
  Status replay(int64_t block, const FinishedBlock& finished);

 private:
  BlockQuantizer(backend::Device& device, const ModelSource& source, const BlockQuantizerOptions& options,
                 Reporter& reporter)
      : device_(device), source_(source), options_(options), reporter_(reporter) {}

  Status calibrate_by_linear(int64_t block, BlockOutcome& outcome);
  Status calibrate_by_block(int64_t block, BlockOutcome& outcome);
  Status round_to_nearest(BlockOutcome& outcome);
  Status reapply(int64_t block, BlockOutcome& outcome);  // block_reapply.cc
  Status add_statistics(const model::StagePlan& stage, int64_t chunk, const backend::Matrix& x, bool original,
                        calibration::StageStatistics& statistics);
  // Which chunks, whether the original stream goes along, and what is gathered.
  struct Pass {
    bool held_out = false;
    bool original = false;
    calibration::StatisticsPart part = calibration::StatisticsPart::kAll;
  };
  Status linear_statistics(const model::StagePlan& stage, const model::BlockWeights& run, Pass pass, double done);
  // Statistics of a stage in as many passes as it takes, each followed by then().
  using PassDone = std::function<Status(const Pass& pass)>;
  Status gather(const model::StagePlan& stage, const model::BlockWeights& run, Pass pass, double done,
                BlockOutcome& outcome, const PassDone& then);
  Status linear_stage(int64_t block, size_t stage, const model::BlockWeights& run, double done, BlockOutcome& outcome);
  Status block_statistics(bool held_out);
  Status move_past(const model::BlockWeights& run, calibration::HiddenStates& states, const char* stage);
  std::vector<awq::LinearProblem> linear_problems(int64_t block, const model::StagePlan& stage) const;
  Status solve_stage(int64_t block, const model::StagePlan& stage, calibration::StageStatistics& statistics,
                     BlockOutcome& outcome);
  Result<bool> check_stage(int64_t block, size_t stage, const calibration::StageStatistics& statistics,
                           BlockOutcome& outcome);
  Status fall_back(int64_t block, size_t stage, BlockOutcome& outcome);
  Status drop_outliers();
  Status save_probe();
  Status keep_unfolded(BlockOutcome& outcome) const;
  Status set_effective(size_t stage, const awq::StageSolution& solution);
  Status load_finished(const FinishedBlock& finished);
  backend::Matrix probe(int64_t index) const;
  Status run_calibrated_probe();
  Status check_fold(int64_t block, BlockOutcome& outcome);
  calibration::SpillPlace place(Store store) const;
  Status load_folded(const awq::FoldedBlock& folded);
  backend::Matrix chunk_room(int64_t index, int64_t rows, int64_t cols) const;
  Status tick(const char* stage, double within_block);

  backend::Device& device_;
  const ModelSource& source_;
  const BlockQuantizerOptions options_;
  Reporter& reporter_;
  HostBlock staging_;  // of what is in files, where the device's memory is not the host's
  // Statistics where they share it, and of the forward or of the solver, which never run at the same time.
  std::unique_ptr<backend::Buffer> workspace_;
  std::unique_ptr<backend::Buffer> tile_room_;  // where a tile of a linear that is not resident is made
  std::unique_ptr<model::BlockForward> forward_;
  awq::Solver::Parking parking_;
  std::unique_ptr<awq::Solver> solver_;
  DeviceBlock originals_;
  EffectiveBlock effective_;
  std::vector<awq::QuantizedLinear> finished_;  // during replay()
  calibration::TokenSelection selection_;
  calibration::HiddenStates hidden_;
  calibration::HiddenStates attention_;                   // stage o's input, kept from its statistics to its use
  std::vector<calibration::StageStatistics> statistics_;  // one, or one per stage
  calibration::HiddenStates original_hidden_;             // two streams only
  std::unique_ptr<backend::Buffer> probe_;                // a few tokens entering the block, then two results
  int64_t probe_tokens_ = 0;
  int64_t block_ = 0;
};

}  // namespace scrooge::pipeline
