// SPDX-License-Identifier: Apache-2.0
// How strong the scale is to be. The search scores its candidates by round-to-nearest, where a scale must protect the
// salient channels alone. Second-order rounding moves error out of them anyway and is left with a coarser grid
// elsewhere, so that the best scale is weaker: s^p is tried for p from 0 to 1, by the rounding that is used in the end.
// First with the factor, then with the Gram matrix, which may share a room: the codes of several strengths wait where
// those of the solution will be.
#include <algorithm>
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

namespace {

// Codes of the sample's part of a tile whose first row is `first`.
Matrix waiting_codes(const QuantizedLinear& linear, size_t index, int64_t first, int64_t count) {
  const RowSample sample(linear.rows);
  return linear.codes().row_range(static_cast<int64_t>(index) * sample.rows() + sample.index(first), count);
}

// How many strengths have room at once.
size_t strengths_at_once(std::span<const LinearSolution> linears) {
  size_t count = std::size(kStrengths);
  for (const LinearSolution& linear : linears) {
    const int64_t rows = linear.quantized.rows;
    count = std::min(count, static_cast<size_t>(rows / RowSample(rows).rows()));
  }
  return count;
}

}  // namespace

// Rounds a sample of rows, scaled by what rooms.scale holds, to the `index`-th waiting codes.
Status Solver::round_sample(model::WeightRows& target, size_t index, const SolveRooms& rooms,
                            const QuantizedLinear& linear) {
  const RowSample sample(target.rows());
  return model::for_each_tile(target, [&](int64_t first, const Matrix& tile) {
    const Matrix w = sample.of(tile);
    const Matrix scaled = rooms.scaled.row_range(0, w.rows);
    QuantizedView trial = rooms.trial.rows(w.rows);
    trial.codes = waiting_codes(linear, index, first, w.rows);
    SCROOGE_RETURN_IF_ERROR(device_.scale_axis({w, scaled, rooms.scale, ScaleAxisParams::Axis::kColumns}));
    SCROOGE_RETURN_IF_ERROR(device_.group_params({scaled, trial.scales, trial.zeros, options_.spec, {}, {}}));
    return options_.rounding->round(device_, {scaled, options_.spec, mean_input_, factor_.matrix(), factor_.order()},
                                    trial);
  });
}

// Adds the losses of the waiting codes, extended to all rows; one for each candidate.
Status Solver::add_sample_losses(model::WeightRows& target, std::span<const ScaleCandidate> candidates,
                                 const StageStatistics& statistics, const SolveRooms& rooms,
                                 const QuantizedLinear& linear, std::span<double> losses) {
  const RowSample sample(target.rows());
  std::vector<double> sums(candidates.size());
  const auto add = [&](int64_t first, const Matrix& tile) -> Status {
    const Matrix w = sample.of(tile);
    const Matrix scaled = rooms.scaled.row_range(0, w.rows);
    const Matrix effective = rooms.effective.row_range(0, w.rows);
    QuantizedView trial = rooms.trial.rows(w.rows);
    std::vector<double> rows(static_cast<size_t>(w.rows));
    for (size_t c = 0; c < candidates.size(); ++c) {
      trial.codes = waiting_codes(linear, c, first, w.rows);
      SCROOGE_RETURN_IF_ERROR(upload_scale(candidates[c].scale, rooms));
      SCROOGE_RETURN_IF_ERROR(device_.scale_axis({w, scaled, rooms.scale, ScaleAxisParams::Axis::kColumns}));
      SCROOGE_RETURN_IF_ERROR(device_.group_params({scaled, trial.scales, trial.zeros, options_.spec, {}, {}}));
      SCROOGE_RETURN_IF_ERROR(dequantize(trial, effective));
      SCROOGE_RETURN_IF_ERROR(
          device_.scale_axis({effective, effective, rooms.inverse_scale, ScaleAxisParams::Axis::kColumns}));
      SCROOGE_RETURN_IF_ERROR(device_.gram_loss({effective, w, statistics.gram(), rows}));
      SCROOGE_RETURN_IF_ERROR(device_.synchronize());
      sums[c] += std::accumulate(rows.begin(), rows.end(), 0.0);
    }
    return {};
  };
  SCROOGE_RETURN_IF_ERROR(model::for_each_tile(target, add));
  for (size_t c = 0; c < candidates.size(); ++c) losses[c] += sample.share() * sums[c];
  return {};
}

Status Solver::weaken_scale(const Targets& targets, const StageStatistics& statistics, const SolveRooms& rooms,
                            StageSolution& solution) {
  const ScaleCandidate full = solution.choice;
  if (!options_.rounding->needs_factor || !factor_.ready() || full.salience == ScaleCandidate::Salience::kIdentity) {
    return {};
  }
  std::vector<ScaleCandidate> candidates;
  for (const double strength : kStrengths) candidates.push_back(full.weaker(strength));
  std::vector<double> losses(candidates.size());
  std::vector<float> before(full.scale.size(), 1.0f);
  const size_t at_once = strengths_at_once(solution.linears);
  for (size_t first = 0; first < candidates.size(); first += at_once) {
    const auto some = std::span(candidates).subspan(first, std::min(at_once, candidates.size() - first));
    for (size_t c = 0; c < some.size(); ++c) {
      std::vector<float> change(some[c].scale);
      for (size_t i = 0; i < change.size(); ++i) change[i] /= before[i];
      before = some[c].scale;
      SCROOGE_RETURN_IF_ERROR(factor_.scale_factor(std::move(change)));
      SCROOGE_RETURN_IF_ERROR(upload_scale(some[c].scale, rooms));
      for (size_t i = 0; i < targets.rows.size(); ++i) {
        SCROOGE_RETURN_IF_ERROR(round_sample(*targets.rows[i], c, rooms, solution.linears[i].quantized));
      }
    }
    SCROOGE_RETURN_IF_ERROR(factor_.need_gram());
    for (size_t i = 0; i < targets.rows.size(); ++i) {
      SCROOGE_RETURN_IF_ERROR(add_sample_losses(*targets.rows[i], some, statistics, rooms,
                                                solution.linears[i].quantized, std::span(losses).subspan(first)));
    }
  }
  const auto best = std::min_element(losses.begin(), losses.end()) - losses.begin();
  solution.choice = std::move(candidates[static_cast<size_t>(best)]);
  return {};
}

}  // namespace scrooge::awq
