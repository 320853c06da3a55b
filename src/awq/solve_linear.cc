// SPDX-License-Identifier: Apache-2.0
// One linear under a chosen scale: each step (clip, rounding, refit) is tried on all rows and kept for the rows whose
// exact loss it lowers. Rows are independent, so this never loses.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/awq/solve.h"

namespace scrooge::awq {

using backend::Matrix;
using backend::ScaleAxisParams;
using backend::Vector;

Status Solver::dequantize(const QuantizedLinear& quantized, const Matrix& effective) {
  SCROOGE_RETURN_IF_ERROR(
      device_.dequantize({quantized.codes(), quantized.scales(), quantized.zeros(), effective, options_.spec}));
  return device_.scale_axis({effective, effective, inverse_scale(effective.cols), ScaleAxisParams::Axis::kColumns});
}

Status Solver::effective_weight(const QuantizedLinear& quantized, std::span<const float> s, const Matrix& effective) {
  SCROOGE_RETURN_IF_ERROR(upload_scale(s));
  return dequantize(quantized, effective);
}

Status Solver::row_losses(const Work& work, const Matrix& effective, std::vector<double>& losses) {
  losses.resize(static_cast<size_t>(effective.rows));
  SCROOGE_RETURN_IF_ERROR(device_.gram_loss({effective, work.target, work.gram, losses}));
  SCROOGE_RETURN_IF_ERROR(device_.synchronize());
  for (size_t n = 0; n < losses.size(); ++n) {
    if (!std::isfinite(losses[n])) {
      return error(StatusCode::kNonFinite, work.problem.name, ": the loss of row ", n,
                   " is not finite; the weights or the calibration inputs overflow");
    }
  }
  return {};
}

Status Solver::round_to_nearest(const Matrix& w, QuantizedLinear& quantized) {
  quantized.rows = w.rows;
  quantized.cols = w.cols;
  SCROOGE_RETURN_IF_ERROR(device_.group_params({w, quantized.scales(), quantized.zeros(), options_.spec, {}, {}}));
  return device_.quantize({w, quantized.scales(), quantized.zeros(), quantized.codes(), options_.spec});
}

Status Solver::round_to_nearest(const Matrix& w, QuantizedLinear& quantized, const Matrix& effective) {
  SCROOGE_RETURN_IF_ERROR(round_to_nearest(w, quantized));
  return device_.dequantize({quantized.codes(), quantized.scales(), quantized.zeros(), effective, options_.spec});
}

// What plain round-to-nearest of the checkpoint's weights would cost, for the report and the guard.
Status Solver::rtn_loss(Work& work, LinearSolution& solution) {
  const Matrix& w = work.problem.weight;
  const Matrix effective{trial_effective_.get(), 0, w.rows, w.cols, w.cols, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(round_to_nearest(w, trial_, effective));
  std::vector<double> losses;
  SCROOGE_RETURN_IF_ERROR(row_losses(work, effective, losses));
  solution.loss_rtn = std::accumulate(losses.begin(), losses.end(), 0.0);
  return {};
}

Status Solver::copy_parameters(const QuantizedLinear& from, QuantizedLinear& to) {
  const uint64_t bytes = static_cast<uint64_t>(from.rows * from.spec.groups(from.cols)) * sizeof(float);
  SCROOGE_RETURN_IF_ERROR(device_.copy(*from.scales_buffer, 0, *to.scales_buffer, 0, bytes));
  return device_.copy(*from.zeros_buffer, 0, *to.zeros_buffer, 0, bytes);
}

// Takes over the rows of trial_ that are better than what stands in the solution; returns how many.
Result<int64_t> Solver::keep_better_rows(Work& work, LinearSolution& solution) {
  QuantizedLinear& best = solution.quantized;
  const Matrix& out = work.problem.effective;
  const Matrix effective{trial_effective_.get(), 0, out.rows, out.cols, out.cols, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(dequantize(trial_, effective));
  std::vector<double> losses;
  SCROOGE_RETURN_IF_ERROR(row_losses(work, effective, losses));
  const auto better = [&](int64_t n) { return losses[static_cast<size_t>(n)] < work.losses[static_cast<size_t>(n)]; };
  const uint64_t parameter_bytes = static_cast<uint64_t>(best.spec.groups(best.cols)) * sizeof(float);
  const uint64_t weight_bytes = static_cast<uint64_t>(out.cols) * sizeof(float);
  const auto copy = [&](const backend::Buffer& from, backend::Buffer& to, uint64_t to_offset, uint64_t row_bytes,
                        int64_t first, int64_t count) {
    const uint64_t offset = static_cast<uint64_t>(first) * row_bytes;
    return device_.copy(from, offset, to, to_offset + offset, static_cast<uint64_t>(count) * row_bytes);
  };
  int64_t kept = 0;
  for (int64_t first = 0; first < out.rows; ++first) {
    if (!better(first)) continue;
    int64_t last = first;
    for (; last < out.rows && better(last); ++last) {
      work.losses[static_cast<size_t>(last)] = losses[static_cast<size_t>(last)];
    }
    const int64_t count = last - first;
    SCROOGE_RETURN_IF_ERROR(
        copy(*trial_.codes_buffer, *best.codes_buffer, 0, static_cast<uint64_t>(out.cols), first, count));
    SCROOGE_RETURN_IF_ERROR(copy(*trial_.scales_buffer, *best.scales_buffer, 0, parameter_bytes, first, count));
    SCROOGE_RETURN_IF_ERROR(copy(*trial_.zeros_buffer, *best.zeros_buffer, 0, parameter_bytes, first, count));
    SCROOGE_RETURN_IF_ERROR(copy(*trial_effective_, *out.buffer, out.offset, weight_bytes, first, count));
    kept += count;
    first = last;
  }
  return kept;
}

// The trial begins where the best stands.
Status Solver::start_trial(const QuantizedLinear& best) {
  SCROOGE_RETURN_IF_ERROR(copy_parameters(best, trial_));
  return device_.copy(*best.codes_buffer, 0, *trial_.codes_buffer, 0, static_cast<uint64_t>(best.rows * best.cols));
}

// Coordinate descent from the codes as they stand.
Result<int64_t> Solver::refine(Work& work, LinearSolution& solution) {
  const QuantizedLinear& best = solution.quantized;
  const Matrix scaled{scaled_weight_.get(), 0, best.rows, best.cols, best.cols, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(start_trial(best));
  SCROOGE_RETURN_IF_ERROR(device_.refine_codes({scaled, trial_.codes(), trial_.scales(), trial_.zeros(),
                                                scaled_gram(best.cols), options_.spec, options_.refine}));
  return keep_better_rows(work, solution);
}

Status Solver::quantize_linear(Work& work, LinearSolution& solution) {
  const int64_t n = work.target.rows;
  const int64_t k = work.target.cols;
  QuantizedLinear& best = solution.quantized;
  const Matrix scaled{scaled_weight_.get(), 0, n, k, k, DType::kF32};
  const Matrix gram = scaled_gram(k);
  SCROOGE_RETURN_IF_ERROR(device_.scale_axis(
      {work.target, scaled, Vector{scale_.get(), 0, k, DType::kF32}, ScaleAxisParams::Axis::kColumns}));
  trial_.rows = n;
  trial_.cols = k;
  solution.forget_steps();

  RoundingProblem rounding{scaled, mean_input_, {}, {}};
  SCROOGE_RETURN_IF_ERROR(device_.group_params({scaled, best.scales(), best.zeros(), options_.spec, {}, {}}));
  SCROOGE_RETURN_IF_ERROR(kNearest.round(device_, rounding, best));
  SCROOGE_RETURN_IF_ERROR(dequantize(best, work.problem.effective));
  SCROOGE_RETURN_IF_ERROR(row_losses(work, work.problem.effective, work.losses));

  if (options_.clip) {
    const int64_t p = options_.spec.groups(k);
    const Matrix errors{clip_error_.get(), 0, n, p, p, DType::kF32};
    SCROOGE_RETURN_IF_ERROR(device_.clip_search({scaled, gram, trial_.scales(), trial_.zeros(), errors, options_.spec,
                                                 clip_candidates(), backend::ClipRule::kEnds}));
    SCROOGE_RETURN_IF_ERROR(kNearest.round(device_, rounding, trial_));
    SCROOGE_ASSIGN_OR_RETURN(solution.rows_clipped, keep_better_rows(work, solution));
    SCROOGE_RETURN_IF_ERROR(count_clips(work, solution));
  }
  const bool can_round = !options_.rounding->needs_factor || factor_ready_;
  if (options_.rounding != &kNearest && can_round) {
    if (factor_ready_) {
      rounding.factor = factor_->by_channel();
      rounding.order = factor_->order();
    }
    SCROOGE_RETURN_IF_ERROR(copy_parameters(best, trial_));
    SCROOGE_RETURN_IF_ERROR(options_.rounding->round(device_, rounding, trial_));
    SCROOGE_ASSIGN_OR_RETURN(solution.rows_rounded, keep_better_rows(work, solution));
  }
  for (int round = 0; round < std::max(1, options_.refit); ++round) {
    if (options_.refine > 0) {
      SCROOGE_ASSIGN_OR_RETURN(solution.rows_refined, refine(work, solution));
    }
    if (options_.refit == 0) break;
    SCROOGE_RETURN_IF_ERROR(start_trial(best));
    SCROOGE_RETURN_IF_ERROR(
        device_.refit_scales({scaled, trial_.codes(), trial_.zeros(), gram, trial_.scales(), options_.spec}));
    SCROOGE_ASSIGN_OR_RETURN(solution.rows_refitted, keep_better_rows(work, solution));
  }
  solution.loss = std::accumulate(work.losses.begin(), work.losses.end(), 0.0);
  return {};
}

// How far the kept ranges are from the full ones, group by group.
Status Solver::count_clips(const Work& work, LinearSolution& solution) {
  const QuantizedLinear& best = solution.quantized;
  const int64_t k = work.target.cols;
  const Matrix scaled{scaled_weight_.get(), 0, best.rows, k, k, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(device_.group_params({scaled, trial_.scales(), trial_.zeros(), options_.spec, {}, {}}));
  const auto count = static_cast<size_t>(best.rows * options_.spec.groups(k));
  std::vector<float> full(count);
  std::vector<float> kept(count);
  SCROOGE_RETURN_IF_ERROR(device_.download(*trial_.scales_buffer, 0, std::as_writable_bytes(std::span(full))));
  SCROOGE_RETURN_IF_ERROR(device_.download(*best.scales_buffer, 0, std::as_writable_bytes(std::span(kept))));
  const auto candidates = clip_candidates();
  solution.clip_histogram.assign(candidates.size(), 0);
  for (size_t i = 0; i < count; ++i) {
    const float ratio = kept[i] / full[i];
    size_t nearest = 0;
    for (size_t c = 1; c < candidates.size(); ++c) {
      if (std::fabs(candidates[c].high_ratio - ratio) < std::fabs(candidates[nearest].high_ratio - ratio)) nearest = c;
    }
    ++solution.clip_histogram[nearest];
  }
  return {};
}

}  // namespace scrooge::awq
