// SPDX-License-Identifier: Apache-2.0
// One linear under a chosen scale, tile by tile of its rows: each step (clip, rounding, descent, refit) is tried on all
// rows and kept for the rows whose exact loss it lowers. Rows are independent, so this never loses. Everything is in
// the coordinates of the scaled input, W* s against diag(1/s) G diag(1/s), which changes no loss.
// Second-order rounding asks for the factor, all else for the Gram matrix, and the two may share a room. So it stands
// between two passes: the codes that it gives wait in the solution, and those of round-to-nearest, which follow from
// scales and zeros, are made again to be held against them.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/awq/solve.h"

namespace scrooge::awq {

using backend::Matrix;
using backend::ScaleAxisParams;
using calibration::StageStatistics;

Status Solver::dequantize(const QuantizedView& from, const Matrix& to) {
  return device_.dequantize({from.codes, from.scales, from.zeros, to, options_.spec});
}

Status Solver::row_losses(const Work& work, const Matrix& effective, std::vector<double>& losses) {
  losses.resize(static_cast<size_t>(effective.rows));
  SCROOGE_RETURN_IF_ERROR(device_.gram_loss({effective, work.target, work.gram, losses}));
  SCROOGE_RETURN_IF_ERROR(device_.synchronize());
  for (size_t n = 0; n < losses.size(); ++n) {
    if (!std::isfinite(losses[n])) {
      return error(StatusCode::kNonFinite, work.problem.name, ": the loss of row ",
                   work.first + static_cast<int64_t>(n),
                   " is not finite; the weights or the calibration inputs overflow");
    }
  }
  return {};
}

Status Solver::round_to_nearest(const Matrix& w, const QuantizedView& to) {
  SCROOGE_RETURN_IF_ERROR(device_.group_params({w, to.scales, to.zeros, options_.spec, {}, {}}));
  return device_.quantize({w, to.scales, to.zeros, to.codes, options_.spec});
}

// What plain round-to-nearest of the checkpoint's weights would cost, for the report and the guard. REQUIRES: G as it
// was collected.
Status Solver::rtn_loss(const LinearProblem& problem, const Targets& targets, size_t index,
                        const StageStatistics& statistics, const SolveRooms& rooms, LinearSolution& solution) {
  return model::for_each_tile(*problem.weight, [&](int64_t first, const Matrix& w) {
    Work work{problem, w, statistics.gram(), {}, first, {}};
    // Where it is the weight itself, loading it again would be for nothing.
    if (targets.corrected) {
      SCROOGE_ASSIGN_OR_RETURN(work.target, targets.rows[index]->load(first, w.rows));
    }
    const QuantizedView nearest = rooms.trial.rows(w.rows);
    const Matrix effective = rooms.effective.row_range(0, w.rows);
    SCROOGE_RETURN_IF_ERROR(round_to_nearest(w, nearest));
    SCROOGE_RETURN_IF_ERROR(dequantize(nearest, effective));
    SCROOGE_RETURN_IF_ERROR(row_losses(work, effective, work.losses));
    solution.loss_rtn += std::accumulate(work.losses.begin(), work.losses.end(), 0.0);
    return Status();
  });
}

Status Solver::copy_view(const QuantizedView& from, const QuantizedView& to, bool codes) {
  const auto copy = [&](const Matrix& a, const Matrix& b) {
    return device_.copy(*a.buffer, a.offset, *b.buffer, b.offset,
                        static_cast<uint64_t>(a.rows * a.cols * dtype_size(a.dtype)));
  };
  SCROOGE_RETURN_IF_ERROR(copy(from.scales, to.scales));
  SCROOGE_RETURN_IF_ERROR(copy(from.zeros, to.zeros));
  return codes ? copy(from.codes, to.codes) : Status();
}

// Takes over the rows of the trial that are better than what stands in the solution; returns how many.
Result<int64_t> Solver::keep_better_rows(Work& work, const SolveRooms& rooms) {
  int64_t kept = 0;
  const QuantizedView trial = rooms.trial.rows(work.target.rows);
  const Matrix effective = rooms.effective.row_range(0, work.target.rows);
  std::vector<double> losses;
  SCROOGE_RETURN_IF_ERROR(dequantize(trial, effective));
  SCROOGE_RETURN_IF_ERROR(row_losses(work, effective, losses));
  const auto better = [&](int64_t n) { return losses[static_cast<size_t>(n)] < work.losses[static_cast<size_t>(n)]; };
  for (int64_t first = 0; first < effective.rows; ++first) {
    if (!better(first)) continue;
    int64_t last = first;
    for (; last < effective.rows && better(last); ++last) {
      work.losses[static_cast<size_t>(last)] = losses[static_cast<size_t>(last)];
    }
    SCROOGE_RETURN_IF_ERROR(copy_view(trial.rows(first, last - first), work.best.rows(first, last - first), true));
    kept += last - first;
    first = last;
  }
  return kept;
}

// Coordinate descent from the codes as they stand.
Result<int64_t> Solver::refine(Work& work, const SolveRooms& rooms) {
  const QuantizedView trial = rooms.trial.rows(work.target.rows);
  SCROOGE_RETURN_IF_ERROR(copy_view(work.best, trial, true));
  SCROOGE_RETURN_IF_ERROR(device_.refine_codes(
      {work.target, trial.codes, trial.scales, trial.zeros, work.gram, options_.spec, options_.refine}));
  return keep_better_rows(work, rooms);
}

Status Solver::for_each_scaled_tile(const LinearWork& linear, const std::function<Status(Work&)>& visit) {
  return model::for_each_tile(linear.target, [&](int64_t first, const Matrix& tile) {
    const SolveRooms& rooms = linear.rooms;
    const Matrix scaled = rooms.scaled.row_range(0, tile.rows);
    SCROOGE_RETURN_IF_ERROR(device_.scale_axis({tile, scaled, rooms.scale, ScaleAxisParams::Axis::kColumns}));
    Work work{linear.problem, scaled, linear.statistics.gram(), linear.solution.quantized.rows_from(first, tile.rows),
              first,          {}};
    return visit(work);
  });
}

Status Solver::search_clip(Work& work, const SolveRooms& rooms, LinearSolution& solution) {
  const QuantizedView trial = rooms.trial.rows(work.target.rows);
  const Matrix errors = rooms.clip_error.row_range(0, work.target.rows);
  SCROOGE_RETURN_IF_ERROR(device_.clip_search({work.target, work.gram, trial.scales, trial.zeros, errors, options_.spec,
                                               clip_candidates(), backend::ClipRule::kEnds}));
  SCROOGE_RETURN_IF_ERROR(kNearest.round(device_, {work.target, options_.spec, mean_input_, {}, {}}, trial));
  SCROOGE_ASSIGN_OR_RETURN(const int64_t kept, keep_better_rows(work, rooms));
  solution.rows_clipped += kept;
  SCROOGE_RETURN_IF_ERROR(count_clips(work, rooms, solution));
  return options_.keep_calibration ? find_clips(work, rooms, solution) : Status();
}

// Scales, zeros and the nearest codes, with the Gram matrix.
Status Solver::choose_ranges(const LinearWork& linear) {
  linear.solution.forget_steps();
  linear.losses.clear();
  return for_each_scaled_tile(linear, [&](Work& work) -> Status {
    const Matrix effective = linear.rooms.effective.row_range(0, work.target.rows);
    SCROOGE_RETURN_IF_ERROR(round_to_nearest(work.target, work.best));
    SCROOGE_RETURN_IF_ERROR(dequantize(work.best, effective));
    SCROOGE_RETURN_IF_ERROR(row_losses(work, effective, work.losses));
    if (options_.clip) SCROOGE_RETURN_IF_ERROR(search_clip(work, linear.rooms, linear.solution));
    linear.losses.insert(linear.losses.end(), work.losses.begin(), work.losses.end());
    return {};
  });
}

// Codes by the rounding that takes the factor, with it.
Status Solver::round_by_factor(const LinearWork& linear) {
  return for_each_scaled_tile(linear, [&](Work& work) {
    return options_.rounding->round(
        device_, {work.target, options_.spec, mean_input_, factor_.matrix(), factor_.order()}, work.best);
  });
}

// Holds codes by the chosen rounding against the nearest ones, which end up in the solution where they are better.
Result<int64_t> Solver::keep_rounded(Work& work, const SolveRooms& rooms) {
  const QuantizedView& best = work.best;
  const QuantizedView trial = rooms.trial.rows(work.target.rows);
  if (options_.rounding->needs_factor) {
    SCROOGE_RETURN_IF_ERROR(copy_view(best, trial, true));
    SCROOGE_RETURN_IF_ERROR(device_.quantize({work.target, best.scales, best.zeros, best.codes, options_.spec}));
  } else {
    SCROOGE_RETURN_IF_ERROR(copy_view(best, trial, false));
    SCROOGE_RETURN_IF_ERROR(
        options_.rounding->round(device_, {work.target, options_.spec, mean_input_, {}, {}}, trial));
  }
  return keep_better_rows(work, rooms);
}

// Rounding, descent and refit, with the Gram matrix.
Status Solver::choose_codes(const LinearWork& linear) {
  const SolveRooms& rooms = linear.rooms;
  LinearSolution& solution = linear.solution;
  solution.loss = 0;
  return for_each_scaled_tile(linear, [&](Work& work) -> Status {
    const auto first = linear.losses.begin() + work.first;
    work.losses.assign(first, first + work.target.rows);
    if (options_.rounding != &kNearest && (!options_.rounding->needs_factor || factor_.ready())) {
      SCROOGE_ASSIGN_OR_RETURN(const int64_t kept, keep_rounded(work, rooms));
      solution.rows_rounded += kept;
      if (kept > 0) solution.rounding = options_.rounding;
    }
    int64_t refined = 0;  // of the last round, as is refitted
    int64_t refitted = 0;
    const QuantizedView trial = rooms.trial.rows(work.target.rows);
    for (int round = 0; round < std::max(1, options_.refit); ++round) {
      if (options_.refine > 0) {
        SCROOGE_ASSIGN_OR_RETURN(refined, refine(work, rooms));
      }
      if (options_.refit == 0) break;
      SCROOGE_RETURN_IF_ERROR(copy_view(work.best, trial, true));
      SCROOGE_RETURN_IF_ERROR(
          device_.refit_scales({work.target, trial.codes, trial.zeros, work.gram, trial.scales, options_.spec}));
      SCROOGE_ASSIGN_OR_RETURN(refitted, keep_better_rows(work, rooms));
    }
    solution.rows_refined += refined;
    solution.rows_refitted += refitted;
    solution.loss += std::accumulate(work.losses.begin(), work.losses.end(), 0.0);
    return {};
  });
}

// How far the kept ranges are from the full ones, group by group.
Status Solver::count_clips(const Work& work, const SolveRooms& rooms, LinearSolution& solution) {
  const QuantizedView trial = rooms.trial.rows(work.target.rows);
  SCROOGE_RETURN_IF_ERROR(device_.group_params({work.target, trial.scales, trial.zeros, options_.spec, {}, {}}));
  const auto count = static_cast<size_t>(trial.scales.rows * trial.scales.cols);
  std::vector<float> full(count);
  std::vector<float> kept(count);
  const auto fetch = [&](const Matrix& from, std::vector<float>& to) {
    return device_.download(*from.buffer, from.offset, std::as_writable_bytes(std::span(to)));
  };
  SCROOGE_RETURN_IF_ERROR(fetch(trial.scales, full));
  SCROOGE_RETURN_IF_ERROR(fetch(work.best.scales, kept));
  const auto candidates = clip_candidates();
  solution.clip_histogram.resize(candidates.size(), 0);
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
