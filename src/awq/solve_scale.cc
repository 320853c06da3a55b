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

Status Solver::upload_scale(std::span<const float> s) {
  std::vector<float> both(s.begin(), s.end());
  for (const float value : s) both.push_back(1.0f / value);
  return device_.upload(*scale_, 0, std::as_bytes(std::span(both)));
}

// Of a sample of rows, extended to all.
Result<double> Solver::rounded_loss(const Matrix& target, const StageStatistics& statistics, const Matrix& factor) {
  const Matrix w = sample_rows(target);
  const Matrix scaled{scaled_weight_.get(), 0, w.rows, w.cols, w.cols, DType::kF32};
  const Matrix effective{trial_effective_.get(), 0, w.rows, w.cols, w.cols, DType::kF32};
  trial_.rows = w.rows;
  trial_.cols = w.cols;
  SCROOGE_RETURN_IF_ERROR(device_.scale_axis({w, scaled, scale(w.cols), ScaleAxisParams::Axis::kColumns}));
  SCROOGE_RETURN_IF_ERROR(device_.group_params({scaled, trial_.scales(), trial_.zeros(), options_.spec, {}, {}}));
  SCROOGE_RETURN_IF_ERROR(options_.rounding->round(device_, {scaled, mean_input_, factor, factor_->order()}, trial_));
  SCROOGE_RETURN_IF_ERROR(dequantize(trial_, effective));
  std::vector<double> losses(static_cast<size_t>(w.rows));
  SCROOGE_RETURN_IF_ERROR(device_.gram_loss({effective, w, statistics.gram(), losses}));
  SCROOGE_RETURN_IF_ERROR(device_.synchronize());
  return row_share(target, w) * std::accumulate(losses.begin(), losses.end(), 0.0);
}

Status Solver::weaken_scale(std::span<const Matrix> targets, const StageStatistics& statistics,
                            StageSolution& solution) {
  const ScaleCandidate full = solution.choice;
  if (!options_.rounding->needs_factor || !factor_ready_ || full.salience == ScaleCandidate::Salience::kIdentity) {
    return {};
  }
  double least = 0;
  for (const double strength : kStrengths) {
    ScaleCandidate candidate = full.weaker(strength);
    SCROOGE_RETURN_IF_ERROR(upload_scale(candidate.scale));
    SCROOGE_ASSIGN_OR_RETURN(const Matrix factor, factor_->scaled(scale(statistics.gram().cols)));
    double loss = 0;
    for (const Matrix& target : targets) {
      SCROOGE_ASSIGN_OR_RETURN(const double of_linear, rounded_loss(target, statistics, factor));
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
