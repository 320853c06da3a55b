// SPDX-License-Identifier: Apache-2.0
// What a job measured, as the file's block reports and as JSON.
#pragma once

#include <span>
#include <string>

#include "src/container/model_metadata.h"
#include "src/pipeline/block_quantizer.h"
#include "src/pipeline/budget_choice.h"

namespace scrooge::pipeline {

// Figures of one block that do not belong in the file: times and memory differ from run to run.
struct BlockFigures {
  double calibrate_seconds = 0;
  double quantize_seconds = 0;
  double loss = 0;  // per token, as loss_rtn
  double loss_rtn = 0;
  double fold_error = 0;
  uint64_t memory_before = 0;
  uint64_t memory_after = 0;
  uint64_t device_memory_before = 0;  // of a device with memory of its own, as the next two
  uint64_t device_memory_after = 0;
  uint64_t device_memory_peak = 0;
  struct Stage {
    double damping = 0;      // of the second-order rounding; 0: not used
    bool corrected = false;  // aimed at the original output
    bool correction_overfit = false;
    bool broke_down = false;  // no damping was enough: rounding or correction was left out
  };
  struct Linear {
    int64_t rows = 0;
    int64_t rows_clipped = 0;  // rows that kept the step, as the next three
    int64_t rows_rounded = 0;
    int64_t rows_refined = 0;
    int64_t rows_refitted = 0;
    double held_out_loss = 0;  // awq/solve.h, LinearSolution
    double held_out_loss_rtn = 0;
    bool overfit = false;
    bool to_nearest = false;  // rounded to nearest, for a linear of its stage failed on the held-out tokens
  };
  std::vector<Stage> stages;    // in the order of the file's scale sets
  std::vector<Linear> linears;  // in the order of the file's linears
};

// The solver's figures of a block; times and memory are the caller's to fill in.
BlockFigures solver_figures(const BlockOutcome& outcome);

// How often the guards had a say.
struct GuardCounts {
  uint64_t overfit_corrections = 0;  // stages solved again without
  uint64_t overfit_linears = 0;
  uint64_t nearest_linears = 0;  // rounded to nearest in the end, as every linear of a stage is where one is overfit
  uint64_t damped_stages = 0;    // by more than 1 %
  uint64_t broken_down_stages = 0;
};
GuardCounts count_guards(std::span<const BlockFigures> figures);

struct JobTotals {
  double seconds = 0;
  double durable_seconds = 0;       // of these, what keeping finished blocks against a kill took
  uint64_t peak_bytes = 0;          // of the budget
  uint64_t planned_peak_bytes = 0;  // with the process itself
  BudgetChoice budget;
  double bits_per_weight = 0;
  uint64_t output_bytes = 0;
  std::string layout;
  uint64_t tokens = 0;
  uint64_t tokens_dropped = 0;
  uint64_t held_out_tokens = 0;
  uint64_t statistics_tokens = 0;
  uint64_t resumed_blocks = 0;  // that an earlier run had finished
  std::string device;
  std::string device_name;
  BudgetChoice device_budget;  // of a device with memory of its own, as the next two
  uint64_t device_peak_bytes = 0;
  uint64_t planned_device_peak_bytes = 0;
  int device_losses = 0;    // after which the job went on
  int device_refusals = 0;  // of memory within the budget, the same
  int threads = 0;
};

std::string_view propagate_name(Propagate propagate);

container::BlockReport block_report(const model::BlockPlan& plan, int64_t block, const BlockOutcome& outcome);

std::string write_report(const JobTotals& totals, std::span<const BlockFigures> figures,
                         std::span<const container::BlockReport> blocks);

}  // namespace scrooge::pipeline
