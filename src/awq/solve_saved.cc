// SPDX-License-Identifier: Apache-2.0
// What of a solution outlives its statistics, and how it is applied again: the scale as it is, the ranges of the clip
// search as indices of its candidates. A range follows from the weights and the candidate, so that scales and zeros are
// the same to the bit.
#include <cmath>
#include <limits>

#include "src/awq/solve.h"

namespace scrooge::awq {

using backend::ClipCandidate;
using backend::Matrix;
using backend::ScaleAxisParams;

namespace {

Status fetch(backend::Device& device, const Matrix& from, std::vector<float>& to) {
  to.resize(static_cast<size_t>(from.rows * from.cols));
  return device.download(*from.buffer, from.offset, std::as_writable_bytes(std::span(to)));
}

Status store(backend::Device& device, std::span<const float> from, const Matrix& to) {
  return device.upload(*to.buffer, to.offset, std::as_bytes(from));
}

}  // namespace

// The candidate with the scale and zero that stand: the first, where several have them; else the nearest one.
Status Solver::find_clips(const Work& work, const SolveRooms& rooms, LinearSolution& solution) {
  const QuantizedView trial = rooms.trial.rows(work.target.rows);
  std::vector<float> scales, zeros, kept_scales, kept_zeros;
  SCROOGE_RETURN_IF_ERROR(fetch(device_, work.best.scales, kept_scales));
  SCROOGE_RETURN_IF_ERROR(fetch(device_, work.best.zeros, kept_zeros));
  const size_t before = solution.clip_index.size();
  solution.clip_index.resize(before + kept_scales.size());
  const auto index = std::span(solution.clip_index).subspan(before);
  constexpr float kFar = std::numeric_limits<float>::infinity();
  std::vector<std::pair<float, float>> least(kept_scales.size(), {kFar, kFar});
  const auto candidates = clip_candidates();
  for (size_t c = 0; c < candidates.size(); ++c) {
    SCROOGE_RETURN_IF_ERROR(device_.group_params(
        {work.target, trial.scales, trial.zeros, options_.spec, candidates[c], backend::ClipRule::kEnds}));
    SCROOGE_RETURN_IF_ERROR(fetch(device_, trial.scales, scales));
    SCROOGE_RETURN_IF_ERROR(fetch(device_, trial.zeros, zeros));
    for (size_t i = 0; i < index.size(); ++i) {
      const std::pair distance(std::fabs(scales[i] - kept_scales[i]), std::fabs(zeros[i] - kept_zeros[i]));
      if (!(distance < least[i])) continue;
      least[i] = distance;
      index[i] = static_cast<uint8_t>(c);
    }
  }
  return {};
}

// Scales and zeros of a tile whose first row is row `first` of the linear.
Status Solver::saved_ranges(const Matrix& scaled, const SavedLinear& saved, int64_t first, const QuantizedView& to) {
  const auto compute = [&](const ClipCandidate& clip) {
    return device_.group_params({scaled, to.scales, to.zeros, options_.spec, clip, backend::ClipRule::kEnds});
  };
  SCROOGE_RETURN_IF_ERROR(compute({}));
  if (saved.clip_index.empty()) return {};
  const auto groups = static_cast<size_t>(to.scales.cols);
  const auto index =
      saved.clip_index.subspan(static_cast<size_t>(first) * groups, static_cast<size_t>(to.scales.rows) * groups);
  std::vector<float> scales, zeros, clipped_scales, clipped_zeros;
  SCROOGE_RETURN_IF_ERROR(fetch(device_, to.scales, scales));
  SCROOGE_RETURN_IF_ERROR(fetch(device_, to.zeros, zeros));
  std::vector<bool> used(saved.clip_ratios.size());
  for (const uint8_t c : index) {
    if (c > 0) used[c] = true;
  }
  for (size_t c = 1; c < used.size(); ++c) {
    if (!used[c]) continue;
    SCROOGE_RETURN_IF_ERROR(compute({saved.clip_ratios[c], saved.clip_ratios[c]}));
    SCROOGE_RETURN_IF_ERROR(fetch(device_, to.scales, clipped_scales));
    SCROOGE_RETURN_IF_ERROR(fetch(device_, to.zeros, clipped_zeros));
    for (size_t i = 0; i < index.size(); ++i) {
      if (index[i] != c) continue;
      scales[i] = clipped_scales[i];
      zeros[i] = clipped_zeros[i];
    }
  }
  SCROOGE_RETURN_IF_ERROR(store(device_, scales, to.scales));
  return store(device_, zeros, to.zeros);
}

Result<StageSolution> Solver::reapply(std::span<const LinearProblem> linears, const SavedStage& saved) {
  const SolveRooms room = plain_rooms(linears, 0);
  StageSolution solution;
  solution.choice.scale.assign(saved.scale.begin(), saved.scale.end());
  mean_input_.assign(saved.mean.begin(), saved.mean.end());
  for (size_t k = 0; k < mean_input_.size(); ++k) mean_input_[k] /= saved.scale[k];
  SCROOGE_RETURN_IF_ERROR(upload_scale(saved.scale, room));
  for (size_t i = 0; i < linears.size(); ++i) {
    const SavedLinear& kept = saved.linears[i];
    LinearSolution& linear = solution.linears.emplace_back();
    model::WeightRows& weight = *linears[i].weight;
    SCROOGE_ASSIGN_OR_RETURN(linear.quantized,
                             QuantizedLinear::create(device_, weight.rows(), weight.cols(), options_.spec));
    const auto apply = [&](int64_t first, const Matrix& w) -> Status {
      const Matrix scaled = room.scaled.row_range(0, w.rows);
      const QuantizedView to = linear.quantized.rows_from(first, w.rows);
      SCROOGE_RETURN_IF_ERROR(device_.scale_axis({w, scaled, room.scale, ScaleAxisParams::Axis::kColumns}));
      SCROOGE_RETURN_IF_ERROR(saved_ranges(scaled, kept, first, to));
      return options_.rounding->round(device_, {scaled, options_.spec, mean_input_, {}, {}}, to);
    };
    SCROOGE_RETURN_IF_ERROR(model::for_each_tile(weight, apply));
    linear.rounding = options_.rounding;
    if (kept.clip_index.empty()) continue;
    linear.clip_histogram.resize(kept.clip_ratios.size());
    for (const uint8_t c : kept.clip_index) ++linear.clip_histogram[c];
  }
  return solution;
}

}  // namespace scrooge::awq
