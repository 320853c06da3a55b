// SPDX-License-Identifier: Apache-2.0
// Solves one stage: from the weights of its linears and the statistics of their common input, and from nothing else (no
// tokens, no hidden state), to scales, clip ranges and codes.
//
// target:  W* = W + c (W (C - G) + R) (G + delta I)^-1, what the linear should have been to give the original output on
//          the inputs that now arrive (c = `correct`; without an original stream W* = W)
// scale:   chosen for W*, all linears of the stage together
// codes:   ranges from the clip search, rounding by `rounding`, scales refitted; each step kept, row by row, only where
//          the exact loss trace(D G D^T), D = W' - W*, improves
//
// Afterwards check() holds the result against tokens that took no part in it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/awq/gram_factor.h"
#include "src/awq/scale_search.h"
#include "src/awq/solve_rooms.h"
#include "src/calibration/spilled_matrix.h"

namespace scrooge::awq {

struct LinearProblem {
  std::string name;           // for messages
  model::WeightRows* weight;  // W[N,K], as in the checkpoint
};

struct LinearSolution {
  QuantizedLinear quantized;  // of W* * s, column-scaled
  double loss = 0;            // trace(D G D^T), D = effective - W*
  double loss_rtn = 0;        // the same for plain round-to-nearest of W
  int64_t rows_clipped = 0;   // rows for which a step was kept
  int64_t rows_rounded = 0;
  int64_t rows_refined = 0;
  int64_t rows_refitted = 0;
  // On held-out tokens, set by check(): by how much the squared error against the original output exceeds that of the
  // unquantized linear on the same inputs; below 0 where it even makes up for earlier errors.
  double held_out_loss = 0;
  double held_out_loss_rtn = 0;
  bool overfit = false;  // gained on the calibration tokens over round-to-nearest, lost on the held-out ones
  const Rounding* rounding = &kNearest;  // that its codes went through, where some row kept what it gave
  std::vector<uint32_t> clip_histogram;  // groups per clip candidate
  // [N,P], of clip_candidates(): which range each group had when the clip search was done. Only with keep_calibration.
  std::vector<uint8_t> clip_index;

  // Before the search starts over, or when none of its steps was kept after all.
  void forget_steps() {
    rows_clipped = rows_rounded = rows_refined = rows_refitted = 0;
    rounding = &kNearest;
    clip_histogram.clear();
    clip_index.clear();
  }
};

// The inputs of a stage, before its scale. [K] each.
struct InputSummary {
  uint64_t tokens = 0;
  std::vector<float> mean_abs, mean, mean_square;
};

struct StageSolution {
  ScaleCandidate choice;     // its scale s[K] is to be folded into the producer
  double loss_identity = 0;  // of the scale search, by round-to-nearest of W*, summed over the linears
  double loss_choice = 0;
  double damping = 0;       // of the second-order rounding; 0 when it was not used or broke down
  bool broke_down = false;  // no damping made the Gram matrix definite: the rounding, or the correction, was left out
  bool corrected = false;
  bool correction_overfit = false;  // worse than round-to-nearest on held-out tokens; this is solved without it
  // A linear was worse than round-to-nearest: the identity was taken for all, or, after the held-out tokens,
  // round-to-nearest.
  bool fell_back = false;
  bool to_nearest = false;  // the latter
  std::vector<LinearSolution> linears;
  InputSummary inputs;  // only with keep_calibration

  void take_identity() {
    ScaleCandidate identity;
    identity.scale.assign(choice.scale.size(), 1.0f);
    choice = std::move(identity);
    loss_choice = loss_identity;
    fell_back = true;
  }
};

// What an earlier solution is applied again from, by reapply(). Views into the caller's memory.
struct SavedLinear {
  std::span<const uint8_t> clip_index;  // [N,P], or empty: full ranges
  std::span<const float> clip_ratios;   // by which both ends are shrunk, by index. REQUIRES: longer than every index
};
struct SavedStage {
  std::span<const float> scale;  // s[K]
  std::span<const float> mean;   // of x [K]
  std::span<const SavedLinear> linears;
};

// The clip search's candidates: both ends of the range shrunk by 1.00, 0.95, ... 0.50.
std::span<const backend::ClipCandidate> clip_candidates();

// One thread at a time; the device must outlive it.
class Solver {
 public:
  // Files for what may be parked: the Gram matrix and its factor, which then share the memory of one, and the
  // correction and targets of a stage of one linear, which leave theirs. Results are the same.
  struct Parking {
    GramFactor::Files matrices;  // the factor's only where SolveOptions::weakens()
    calibration::SpilledMatrix target;
  };
  // Where the statistics share the workspace, behind them (StageStatistics::free_offset); else at its beginning. The
  // result is the end of what solving the stage takes of the workspace. `one_by_one`: StatisticsPart.
  static uint64_t workspace_end(std::span<const LinearShape> linears, const SolveOptions& options,
                                bool shares_workspace, bool parked, bool one_by_one = false);
  // `workspace`: used during calls, free between them; must outlive the solver, as must what is parked in.
  Solver(backend::Device& device, const SolveOptions& options, backend::Buffer& workspace, Parking* parking = nullptr)
      : device_(device),
        options_(options),
        workspace_(workspace),
        parking_(parking),
        search_(device, options.grid, options.spec),
        factor_(device) {}

  // A stage of one linear has its correction held by output, one of several by input. Consumes the statistics: the Gram
  // matrix ends scaled, a correction held by output becomes the target. kNonFinite names the linear when a loss is NaN
  // or infinite. Statistics that hold the correction alone take park_gram() before.
  Result<StageSolution> solve(std::span<const LinearProblem> linears, calibration::StageStatistics& statistics,
                              const Ties& ties);
  // REQUIRES: parking.
  Status park_gram(const calibration::StageStatistics& statistics);
  // Sets the held-out figures of the last solution; `statistics` are of held-out tokens of the same stage. False when a
  // linear is worse than round-to-nearest there.
  Result<bool> check(std::span<const LinearProblem> linears, const calibration::StageStatistics& statistics,
                     StageSolution& solution);
  // The same in two calls, with the Gram matrix first and with the correction alone then. Only the last result counts.
  Result<bool> check_further(std::span<const LinearProblem> linears, const calibration::StageStatistics& statistics,
                             StageSolution& solution);
  // Makes the whole stage round-to-nearest: its linears share one scale, which plain round-to-nearest has not.
  Status fall_back(std::span<const LinearProblem> linears, StageSolution& solution);
  // An earlier solution again, without statistics: its scale and ranges for W itself, rounded by `rounding`, which must
  // not need a factor. Losses stay 0.
  Result<StageSolution> reapply(std::span<const LinearProblem> linears, const SavedStage& saved);
  // Round-to-nearest without statistics; losses stay 0.
  Result<LinearSolution> round_to_nearest(const LinearProblem& linear);

 private:
  // A tile of rows of one linear, in the coordinates of the scaled input.
  struct Work {
    const LinearProblem& problem;
    backend::Matrix target;      // W* s
    backend::Matrix gram;        // diag(1/s) G diag(1/s)
    QuantizedView best;          // its rows of the solution
    int64_t first = 0;           // of its rows
    std::vector<double> losses;  // of the rows as they stand in the solution
  };
  // A linear under the chosen scale.
  struct LinearWork {
    const LinearProblem& problem;
    model::WeightRows& target;
    const calibration::StageStatistics& statistics;
    const SolveRooms& rooms;
    LinearSolution& solution;
    std::vector<double>& losses;  // of all rows as they stand in the solution, by choose_ranges()
  };
  // What all linears of a stage aim at.
  struct Targets {
    std::vector<std::unique_ptr<model::WeightRows>> made;
    std::vector<model::WeightRows*> rows;
    bool corrected = false;
  };

  bool parks(const calibration::StageStatistics& statistics) const;
  SolveRooms rooms(std::span<const LinearProblem> linears, const calibration::StageStatistics& statistics) const;
  SolveRooms plain_rooms(std::span<const LinearProblem> linears, uint64_t begin) const;
  // solve_target.cc
  Result<backend::Matrix> output_step(const backend::Matrix& w, int64_t first,
                                      const calibration::StageStatistics& statistics, const backend::Matrix& room);
  Result<Targets> make_targets(std::span<const LinearProblem> linears, const calibration::StageStatistics& statistics,
                               const SolveRooms& rooms);
  Status make_target(model::WeightRows& weight, const calibration::StageStatistics& statistics, const SolveRooms& rooms,
                     const backend::Matrix& target);
  Status make_parked_target(model::WeightRows& weight, const SolveRooms& rooms);
  Status correct_tile(const backend::Matrix& w, const backend::Matrix& step, const SolveRooms& rooms,
                      const backend::Matrix& to);
  // solve_scale.cc
  Status round_sample(model::WeightRows& target, size_t index, const SolveRooms& rooms, const QuantizedLinear& linear);
  Status add_sample_losses(model::WeightRows& target, std::span<const ScaleCandidate> candidates,
                           const calibration::StageStatistics& statistics, const SolveRooms& rooms,
                           const QuantizedLinear& linear, std::span<double> losses);
  Status weaken_scale(const Targets& targets, const calibration::StageStatistics& statistics, const SolveRooms& rooms,
                      StageSolution& solution);
  Status upload_scale(std::span<const float> s, const SolveRooms& rooms);
  // solve.cc
  Status quantize_stage(std::span<const LinearProblem> linears, const Targets& targets,
                        const calibration::StageStatistics& statistics, const SolveRooms& rooms,
                        StageSolution& solution);
  Status prepare_stage(const calibration::StageStatistics& statistics, const SolveRooms& rooms,
                       StageSolution& solution);
  Status compute_factor(const calibration::StageStatistics& statistics, StageSolution& solution);
  // solve_check.cc
  Result<double> held_out_loss(const backend::Matrix& w, const backend::Matrix& effective, const backend::Matrix& step,
                               const calibration::StageStatistics& statistics);
  Status check_tile(int64_t first, const backend::Matrix& w, const calibration::StageStatistics& statistics, bool gram,
                    const SolveRooms& rooms, LinearSolution& linear);
  // solve_linear.cc
  Status for_each_scaled_tile(const LinearWork& linear, const std::function<Status(Work&)>& visit);
  Status choose_ranges(const LinearWork& linear);
  Status round_by_factor(const LinearWork& linear);
  Status choose_codes(const LinearWork& linear);
  Status search_clip(Work& work, const SolveRooms& rooms, LinearSolution& solution);
  Result<int64_t> keep_rounded(Work& work, const SolveRooms& rooms);
  Status rtn_loss(const LinearProblem& problem, const Targets& targets, size_t index,
                  const calibration::StageStatistics& statistics, const SolveRooms& rooms, LinearSolution& solution);
  Status round_to_nearest(const backend::Matrix& w, const QuantizedView& to);
  Result<int64_t> refine(Work& work, const SolveRooms& rooms);
  Status row_losses(const Work& work, const backend::Matrix& effective, std::vector<double>& losses);
  Status dequantize(const QuantizedView& from, const backend::Matrix& to);
  Result<int64_t> keep_better_rows(Work& work, const SolveRooms& rooms);
  Status copy_view(const QuantizedView& from, const QuantizedView& to, bool codes);
  Status count_clips(const Work& work, const SolveRooms& rooms, LinearSolution& solution);
  // solve_saved.cc
  Status find_clips(const Work& work, const SolveRooms& rooms, LinearSolution& solution);
  Status saved_ranges(const backend::Matrix& scaled, const SavedLinear& saved, int64_t first, const QuantizedView& to);

  backend::Device& device_;
  const SolveOptions options_;
  backend::Buffer& workspace_;
  Parking* const parking_;
  ScaleSearch search_;
  GramFactor factor_;
  std::vector<float> mean_input_;  // of x / s
};

}  // namespace scrooge::awq
