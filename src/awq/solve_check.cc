// SPDX-License-Identifier: Apache-2.0
// The held-out guard. With X the held-out inputs that arrive, X* the original ones and r = h* - h, quantizing W to W'
// leaves the error (W' - W) x - (W (x* - x) + r) against the original output. Summed over tokens, with D = W' - W,
//   trace(D G D^T) - 2 <D, W (C - G) + R> + what does not depend on W',
// C = X*^T X and R = r^T X. The first two terms are the held-out loss: exact for comparing two W'.
#include <numeric>

#include "src/awq/solve.h"

namespace scrooge::awq {

using backend::Matrix;
using backend::Precision;
using backend::ReduceParams;
using calibration::StageStatistics;

// scaled_weight_ holds W (C - G) + R where there is an original stream.
Result<double> Solver::held_out_loss(const LinearProblem& linear, const Matrix& effective,
                                     const StageStatistics& statistics) {
  const Matrix& w = linear.weight;
  std::vector<double> rows(static_cast<size_t>(w.rows));
  SCROOGE_RETURN_IF_ERROR(device_.gram_loss({effective, w, statistics.gram(), rows}));
  double along = 0;
  double before = 0;
  if (statistics.has_original()) {
    const Matrix step{scaled_weight_.get(), 0, w.rows, w.cols, w.cols, DType::kF32};
    SCROOGE_RETURN_IF_ERROR(device_.reduce({effective, step, ReduceParams::Kind::kDot, &along}));
    SCROOGE_RETURN_IF_ERROR(device_.reduce({w, step, ReduceParams::Kind::kDot, &before}));
  }
  SCROOGE_RETURN_IF_ERROR(device_.synchronize());
  return std::accumulate(rows.begin(), rows.end(), 0.0) - 2 * (along - before);
}

Result<bool> Solver::check(std::span<const LinearProblem> linears, const StageStatistics& statistics,
                           StageSolution& solution) {
  if (statistics.has_original()) SCROOGE_RETURN_IF_ERROR(device_.add({statistics.gram(), statistics.cross(), -1.0f}));
  bool holds = true;
  for (size_t i = 0; i < linears.size(); ++i) {
    const Matrix& w = linears[i].weight;
    LinearSolution& linear = solution.linears[i];
    if (statistics.has_original()) {
      SCROOGE_RETURN_IF_ERROR(output_step(linears[i], statistics, *scaled_weight_));
    }
    SCROOGE_ASSIGN_OR_RETURN(linear.held_out_loss, held_out_loss(linears[i], linears[i].effective, statistics));
    const Matrix nearest{trial_effective_.get(), 0, w.rows, w.cols, w.cols, DType::kF32};
    SCROOGE_RETURN_IF_ERROR(round_to_nearest(w, trial_, nearest));
    SCROOGE_ASSIGN_OR_RETURN(linear.held_out_loss_rtn, held_out_loss(linears[i], nearest, statistics));
    // Negated, so that a NaN counts as worse.
    const bool better = linear.held_out_loss <= linear.held_out_loss_rtn;
    linear.overfit = !better && linear.loss < linear.loss_rtn;
    holds = holds && better;
  }
  return holds;
}

Status Solver::fall_back(std::span<const LinearProblem> linears, StageSolution& solution) {
  solution.take_identity();
  for (size_t i = 0; i < linears.size(); ++i) {
    LinearSolution& linear = solution.linears[i];
    SCROOGE_RETURN_IF_ERROR(round_to_nearest(linears[i].weight, linear.quantized, linears[i].effective));
    linear.loss = linear.loss_rtn;
    linear.forget_steps();
  }
  return {};
}

}  // namespace scrooge::awq
