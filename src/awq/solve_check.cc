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
using backend::ScaleAxisParams;
using calibration::StageStatistics;

// The first term, or with a step, which is W (C - G) + R, the second.
Result<double> Solver::held_out_loss(const Matrix& w, const Matrix& effective, const Matrix& step,
                                     const StageStatistics& statistics) {
  if (step.buffer == nullptr) {
    std::vector<double> rows(static_cast<size_t>(w.rows));
    SCROOGE_RETURN_IF_ERROR(device_.gram_loss({effective, w, statistics.gram(), rows}));
    SCROOGE_RETURN_IF_ERROR(device_.synchronize());
    return std::accumulate(rows.begin(), rows.end(), 0.0);
  }
  double along = 0;
  double before = 0;
  SCROOGE_RETURN_IF_ERROR(device_.reduce({effective, step, ReduceParams::Kind::kDot, &along}));
  SCROOGE_RETURN_IF_ERROR(device_.reduce({w, step, ReduceParams::Kind::kDot, &before}));
  SCROOGE_RETURN_IF_ERROR(device_.synchronize());
  return -2 * (along - before);
}

// With the Gram matrix, or with the correction.
Status Solver::check_tile(int64_t first, const Matrix& w, const StageStatistics& statistics, bool gram,
                          const SolveRooms& rooms, LinearSolution& linear) {
  Matrix step;
  if (!gram) {
    SCROOGE_ASSIGN_OR_RETURN(step, output_step(w, first, statistics, rooms.scaled));
  }
  const Matrix effective = rooms.effective.row_range(0, w.rows);
  SCROOGE_RETURN_IF_ERROR(dequantize(linear.quantized.rows_from(first, w.rows), effective));
  SCROOGE_RETURN_IF_ERROR(
      device_.scale_axis({effective, effective, rooms.inverse_scale, ScaleAxisParams::Axis::kColumns}));
  SCROOGE_ASSIGN_OR_RETURN(const double loss, held_out_loss(w, effective, step, statistics));
  const QuantizedView nearest = rooms.trial.rows(w.rows);
  SCROOGE_RETURN_IF_ERROR(round_to_nearest(w, nearest));
  SCROOGE_RETURN_IF_ERROR(dequantize(nearest, effective));
  SCROOGE_ASSIGN_OR_RETURN(const double loss_rtn, held_out_loss(w, effective, step, statistics));
  linear.held_out_loss += loss;
  linear.held_out_loss_rtn += loss_rtn;
  return {};
}

Result<bool> Solver::check(std::span<const LinearProblem> linears, const StageStatistics& statistics,
                           StageSolution& solution) {
  for (LinearSolution& linear : solution.linears) linear.held_out_loss = linear.held_out_loss_rtn = 0;
  return check_further(linears, statistics, solution);
}

// One term after the other, so that taking them in two calls does not show.
Result<bool> Solver::check_further(std::span<const LinearProblem> linears, const StageStatistics& statistics,
                                   StageSolution& solution) {
  const SolveRooms room = plain_rooms(linears, statistics.free_offset());
  SCROOGE_RETURN_IF_ERROR(upload_scale(solution.choice.scale, room));
  bool holds = true;
  for (size_t i = 0; i < linears.size(); ++i) {
    LinearSolution& linear = solution.linears[i];
    for (const bool gram : {true, false}) {
      if (gram ? !statistics.holds_gram() : !statistics.has_original()) continue;
      SCROOGE_RETURN_IF_ERROR(model::for_each_tile(*linears[i].weight, [&](int64_t first, const Matrix& w) {
        return check_tile(first, w, statistics, gram, room, linear);
      }));
    }
    // Negated, so that a NaN counts as worse.
    const bool better = linear.held_out_loss <= linear.held_out_loss_rtn;
    linear.overfit = !better && linear.loss < linear.loss_rtn;
    holds = holds && better;
  }
  return holds;
}

Status Solver::fall_back(std::span<const LinearProblem> linears, StageSolution& solution) {
  solution.take_identity();
  solution.damping = 0;
  solution.to_nearest = true;
  for (size_t i = 0; i < linears.size(); ++i) {
    LinearSolution& linear = solution.linears[i];
    SCROOGE_RETURN_IF_ERROR(model::for_each_tile(*linears[i].weight, [&](int64_t first, const Matrix& w) {
      return round_to_nearest(w, linear.quantized.rows_from(first, w.rows));
    }));
    linear.loss = linear.loss_rtn;
    linear.held_out_loss = linear.held_out_loss_rtn;
    linear.forget_steps();
  }
  return {};
}

}  // namespace scrooge::awq
