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

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/awq/gram_factor.h"
#include "src/awq/rounding/rounding.h"
#include "src/awq/scale_search.h"

namespace scrooge::awq {

struct SolveOptions {
  QuantSpec spec;
  int64_t grid = 20;  // alpha steps; below 2 only the identity
  bool clip = true;
  const Rounding* rounding = &kNearest;
  double correct = 0;  // c, 0 to 1
  int refine = 0;      // sweeps of coordinate descent on the codes after rounding, and before each refit
  int refit = 0;       // sweeps of scale refitting
};

struct LinearProblem {
  std::string name;           // for messages
  backend::Matrix weight;     // W[N,K] f32, as in the checkpoint
  backend::Matrix effective;  // out: what the quantized linear computes, in the coordinates of W (scale undone)
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
  std::vector<uint32_t> clip_histogram;  // groups per clip candidate

  // Before the search starts over, or when none of its steps was kept after all.
  void forget_steps() {
    rows_clipped = rows_rounded = rows_refined = rows_refitted = 0;
    clip_histogram.clear();
  }
};

struct StageSolution {
  ScaleCandidate choice;     // its scale s[K] is to be folded into the producer
  double loss_identity = 0;  // of the scale search, by round-to-nearest of W*, summed over the linears
  double loss_choice = 0;
  double damping = 0;  // of the second-order rounding; 0 when it was not used or broke down
  bool corrected = false;
  bool correction_overfit = false;  // worse than round-to-nearest on held-out tokens; this is solved without it
  bool fell_back = false;  // a linear was worse than round-to-nearest: the identity, or round-to-nearest, was taken
  std::vector<LinearSolution> linears;

  void take_identity() {
    ScaleCandidate identity;
    identity.scale.assign(choice.scale.size(), 1.0f);
    choice = std::move(identity);
    loss_choice = loss_identity;
    fell_back = true;
  }
};

// The clip search's candidates: both ends of the range shrunk by 1.00, 0.95, ... 0.50.
std::span<const backend::ClipCandidate> clip_candidates();

// Scratch shared by all stages of a job. One thread at a time; the device must outlive it.
class Solver {
 public:
  struct Shape {
    int64_t rows = 0;  // N
    int64_t cols = 0;  // K
  };
  // Device bytes that create() allocates to solve stages of these linears, one span element a stage.
  static uint64_t scratch_bytes(std::span<const std::vector<Shape>> stages, const SolveOptions& options);
  static Result<std::unique_ptr<Solver>> create(backend::Device& device, std::span<const std::vector<Shape>> stages,
                                                const SolveOptions& options);

  // kNonFinite names the linear when a loss is NaN or infinite.
  Result<StageSolution> solve(std::span<const LinearProblem> linears, const calibration::StageStatistics& statistics,
                              const Ties& ties);
  // Sets the held-out figures of the last solution; `statistics` are of held-out tokens of the same stage. False when a
  // linear is worse than round-to-nearest there.
  Result<bool> check(std::span<const LinearProblem> linears, const calibration::StageStatistics& statistics,
                     StageSolution& solution);
  // Makes the whole stage round-to-nearest: its linears share one scale, which plain round-to-nearest has not.
  Status fall_back(std::span<const LinearProblem> linears, StageSolution& solution);
  // What a linear of a stage with scale s computes: dequantized, the scale undone.
  Status effective_weight(const QuantizedLinear& quantized, std::span<const float> s, const backend::Matrix& effective);
  // Round-to-nearest without statistics; losses stay 0.
  Result<LinearSolution> round_to_nearest(const LinearProblem& linear);

 private:
  struct Layout;
  // What quantizing one linear works on.
  struct Work {
    const LinearProblem& problem;
    backend::Matrix target;      // W*
    backend::Matrix gram;        // G
    std::vector<double> losses;  // of the rows as they stand in the solution
  };
  Solver(backend::Device& device, const SolveOptions& options) : device_(device), options_(options) {}

  // solve_target.cc
  Status output_step(const LinearProblem& linear, const calibration::StageStatistics& statistics,
                     backend::Buffer& buffer);
  Result<bool> make_targets(std::span<const LinearProblem> linears, const calibration::StageStatistics& statistics,
                            std::vector<backend::Matrix>& targets);
  // solve_scale.cc
  Result<double> rounded_loss(const backend::Matrix& target, const calibration::StageStatistics& statistics,
                              const backend::Matrix& factor);
  Status weaken_scale(std::span<const backend::Matrix> targets, const calibration::StageStatistics& statistics,
                      StageSolution& solution);
  Status upload_scale(std::span<const float> s);
  // solve.cc
  Status quantize_stage(std::span<const LinearProblem> linears, std::span<const backend::Matrix> targets,
                        const calibration::StageStatistics& statistics, StageSolution& solution);
  Status prepare_stage(const calibration::StageStatistics& statistics, StageSolution& solution);
  // solve_check.cc
  Result<double> held_out_loss(const LinearProblem& linear, const backend::Matrix& effective,
                               const calibration::StageStatistics& statistics);
  // solve_linear.cc
  Status quantize_linear(Work& work, LinearSolution& solution);
  Status rtn_loss(Work& work, LinearSolution& solution);
  Status round_to_nearest(const backend::Matrix& weight, QuantizedLinear& quantized);
  Status round_to_nearest(const backend::Matrix& weight, QuantizedLinear& quantized, const backend::Matrix& effective);
  Status start_trial(const QuantizedLinear& best);
  Result<int64_t> refine(Work& work, LinearSolution& solution);
  Status row_losses(const Work& work, const backend::Matrix& effective, std::vector<double>& losses);
  Status dequantize(const QuantizedLinear& quantized, const backend::Matrix& effective);
  Result<int64_t> keep_better_rows(Work& work, LinearSolution& solution);
  Status copy_parameters(const QuantizedLinear& from, QuantizedLinear& to);
  Status count_clips(const Work& work, LinearSolution& solution);
  backend::Matrix scaled_gram(int64_t inputs) const;
  backend::Vector scale(int64_t inputs) const { return {scale_.get(), 0, inputs, DType::kF32}; }
  backend::Vector inverse_scale(int64_t inputs) const;

  backend::Device& device_;
  const SolveOptions options_;
  std::unique_ptr<ScaleSearch> search_;
  std::unique_ptr<GramFactor> factor_;              // only where rounding or correction needs it
  bool factor_ready_ = false;                       // for the scaled Gram matrix of the stage
  std::vector<float> mean_input_;                   // of x / s
  std::unique_ptr<backend::Buffer> targets_;        // W* of all linears of a stage, with correction
  std::unique_ptr<backend::Buffer> scaled_weight_;  // W* s
  std::unique_ptr<backend::Buffer> scaled_gram_;    // diag(1/s) G diag(1/s)
  std::unique_ptr<backend::Buffer> scale_;          // s[K], then 1/s[K]
  std::unique_ptr<backend::Buffer> clip_error_;     // [N,P]
  std::unique_ptr<backend::Buffer> trial_effective_;
  QuantizedLinear trial_;  // buffers for the largest linear
};

}  // namespace scrooge::awq
