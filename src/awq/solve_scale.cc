// SPDX-License-Identifier: Apache-2.0
// How strong the scale is to be. The search scores its candidates by round-to-nearest, where a scale must protect the
// salient channels alone. Second-order rounding moves error out of them anyway and is left with a coarser grid
// elsewhere, so that the best scale is weaker: s^p is tried for p from 0 to 1, by the rounding that is used in the end.
#include <numeric>

#include "src/awq/row_sample.h"
#include "src/awq/solve.h"

namespace scrooge::awq {

using backend::Matrix;
using backend::ScaleAxisParams;
using calibration::StageStatistics;

namespace {

constexpr double kStrengths[] = {0, 0.25, 0.5, 0.75, 1};

}  // namespace

Status Solver::upload_scale(std::span<const float> s, const SolveRooms& rooms) {
  std::vector<float> inverse(s.begin(), s.end());
  for (float& value : inverse) value = 1.0f / value;
  SCROOGE_RETURN_IF_ERROR(device_.upload(*rooms.scale.buffer, rooms.scale.offset, std::as_bytes(s)));
  return device_.upload(*rooms.inverse_scale.buffer, rooms.inverse_scale.offset, std::as_bytes(std::span(inverse)));
}

// Of a sample of rows, extended to all.
Result<double> Solver::rounded_loss(model::WeightRows& target, const StageStatistics& statistics,
                                    const SolveRooms& rooms) {
  const RowSample sample(target.rows());
  double sum = 0;
  const Status rounded = model::for_each_tile(target, [&](int64_t, const Matrix& tile) {
    const Matrix w = sample.of(tile);
    const Matrix scaled = rooms.scaled.row_range(0, w.rows);
    const Matrix effective = rooms.effective.row_range(0, w.rows);
    const QuantizedView trial = rooms.trial.rows(w.rows);
    SCROOGE_RETURN_IF_ERROR(device_.scale_axis({w, scaled, rooms.scale, ScaleAxisParams::Axis::kColumns}));
    SCROOGE_RETURN_IF_ERROR(device_.group_params({scaled, trial.scales, trial.zeros, options_.spec, {}, {}}));
    const RoundingProblem rounding{scaled, options_.spec, mean_input_, factor_.by_channel(), factor_.order()};
    SCROOGE_RETURN_IF_ERROR(options_.rounding->round(device_, rounding, trial));
    SCROOGE_RETURN_IF_ERROR(dequantize(trial, effective));
    SCROOGE_RETURN_IF_ERROR(
        device_.scale_axis({effective, effective, rooms.inverse_scale, ScaleAxisParams::Axis::kColumns}));
    std::vector<double> losses(static_cast<size_t>(w.rows));
    SCROOGE_RETURN_IF_ERROR(device_.gram_loss({effective, w, statistics.gram(), losses}));
    SCROOGE_RETURN_IF_ERROR(device_.synchronize());
    sum += std::accumulate(losses.begin(), losses.end(), 0.0);
    return Status();
  });
  if (!rounded.ok()) return rounded;
  return sample.share() * sum;
}

Status Solver::weaken_scale(const Targets& targets, const StageStatistics& statistics, const SolveRooms& rooms,
                            StageSolution& solution) {
  const ScaleCandidate full = solution.choice;
  if (!options_.rounding->needs_factor || !factor_ready_ || full.salience == ScaleCandidate::Salience::kIdentity) {
    return {};
  }
  double least = 0;
  std::vector<float> before(full.scale.size(), 1.0f);
  for (const double strength : kStrengths) {
    ScaleCandidate candidate = full.weaker(strength);
    std::vector<float> change(candidate.scale);
    for (size_t i = 0; i < change.size(); ++i) change[i] /= before[i];
    before = candidate.scale;
    SCROOGE_RETURN_IF_ERROR(upload_scale(change, rooms));
    SCROOGE_RETURN_IF_ERROR(factor_.scale(rooms.scale));
    SCROOGE_RETURN_IF_ERROR(upload_scale(candidate.scale, rooms));
    double loss = 0;
    for (model::WeightRows* target : targets.rows) {
      SCROOGE_ASSIGN_OR_RETURN(const double of_linear, rounded_loss(*target, statistics, rooms));
      loss += of_linear;
    }
    if (strength == kStrengths[0] || loss < least) {
      least = loss;
      solution.choice = std::move(candidate);
    }
  }
  return {};
}

}  // namespace scrooge::awq
