// SPDX-License-Identifier: Apache-2.0
#include "src/awq/solve.h"

#include <algorithm>

namespace scrooge::awq {

using backend::Matrix;
using calibration::StageStatistics;

std::span<const backend::ClipCandidate> clip_candidates() {
  static constexpr backend::ClipCandidate kCandidates[] = {
      {1.00f, 1.00f}, {0.95f, 0.95f}, {0.90f, 0.90f}, {0.85f, 0.85f}, {0.80f, 0.80f}, {0.75f, 0.75f},
      {0.70f, 0.70f}, {0.65f, 0.65f}, {0.60f, 0.60f}, {0.55f, 0.55f}, {0.50f, 0.50f}};
  return kCandidates;
}

namespace {

// What checking a solution takes room for.
SolveOptions without_factor(SolveOptions options) {
  options.rounding = &kNearest;
  options.correct = 0;
  return options;
}

}  // namespace

uint64_t Solver::workspace_end(std::span<const LinearShape> linears, const SolveOptions& options, bool shares_workspace,
                               bool parked, bool one_by_one) {
  if (!shares_workspace) return SolveRooms(nullptr, 0, linears, options, false).end;
  const int64_t k = linears.front().cols;
  const bool by_output = linears.size() == 1;
  const int64_t correction_rows = options.correct > 0 ? (by_output ? linears.front().rows : k) : 0;
  const uint64_t behind = StageStatistics::shared_bytes(k, correction_rows, one_by_one);
  const uint64_t begin = parked && by_output ? StageStatistics::shared_bytes(k, 0) : behind;
  return std::max(SolveRooms(nullptr, begin, linears, options, parked).end,
                  SolveRooms(nullptr, behind, linears, without_factor(options), false).end);
}

bool Solver::parks(const StageStatistics& statistics) const {
  return parking_ != nullptr && options_.needs_factor() && statistics.free_offset() > 0;
}

namespace {

std::vector<LinearShape> shapes_of(std::span<const LinearProblem> linears) {
  std::vector<LinearShape> shapes;
  for (const LinearProblem& linear : linears) shapes.push_back({linear.weight->rows(), linear.weight->cols()});
  return shapes;
}

}  // namespace

SolveRooms Solver::rooms(std::span<const LinearProblem> linears, const StageStatistics& statistics) const {
  const std::vector<LinearShape> shapes = shapes_of(linears);
  const bool parked = parks(statistics);
  uint64_t begin = statistics.free_offset();
  if (parked && statistics.by_output()) begin = StageStatistics::shared_bytes(shapes.front().cols, 0);
  return {&workspace_, begin, shapes, options_, parked};
}

// For what works without a factor; whatever the statistics hold stays.
SolveRooms Solver::plain_rooms(std::span<const LinearProblem> linears, uint64_t begin) const {
  return {&workspace_, begin, shapes_of(linears), without_factor(options_), false};
}

// After the fold the inputs are x / s: their Gram matrix and their mean.
Status Solver::prepare_stage(const StageStatistics& statistics, const SolveRooms& rooms, StageSolution& solution) {
  const std::vector<float>& s = solution.choice.scale;
  SCROOGE_RETURN_IF_ERROR(upload_scale(s, rooms));
  SCROOGE_RETURN_IF_ERROR(factor_.scale_gram(rooms.inverse_scale));
  mean_input_.assign(statistics.mean().begin(), statistics.mean().end());
  for (size_t i = 0; i < s.size(); ++i) mean_input_[i] /= s[i];
  factor_.forget();
  solution.damping = 0;
  return {};
}

// Of the Gram matrix as it was scaled.
Status Solver::compute_factor(const StageStatistics& statistics, StageSolution& solution) {
  const std::vector<float>& s = solution.choice.scale;
  std::vector<float> salience(statistics.mean_square().begin(), statistics.mean_square().end());
  for (size_t i = 0; i < s.size(); ++i) salience[i] /= s[i] * s[i];
  SCROOGE_RETURN_IF_ERROR(factor_.compute(salience));
  if (factor_.ready()) {
    solution.damping = factor_.damping();
  } else {
    solution.broke_down = true;
  }
  return {};
}

// In steps that each take either the Gram matrix or its factor: ranges and nearest codes of all linears, second-order
// rounding of all, then what is best.
Status Solver::quantize_stage(std::span<const LinearProblem> linears, const Targets& targets,
                              const StageStatistics& statistics, const SolveRooms& rooms, StageSolution& solution) {
  SCROOGE_RETURN_IF_ERROR(prepare_stage(statistics, rooms, solution));
  std::vector<std::vector<double>> losses(linears.size());  // of all rows
  const auto each = [&](const auto& step) -> Status {
    for (size_t i = 0; i < linears.size(); ++i) {
      SCROOGE_RETURN_IF_ERROR(
          (this->*step)({linears[i], *targets.rows[i], statistics, rooms, solution.linears[i], losses[i]}));
    }
    return {};
  };
  SCROOGE_RETURN_IF_ERROR(each(&Solver::choose_ranges));
  if (options_.rounding->needs_factor) {
    SCROOGE_RETURN_IF_ERROR(compute_factor(statistics, solution));
    if (factor_.ready()) SCROOGE_RETURN_IF_ERROR(each(&Solver::round_by_factor));
    SCROOGE_RETURN_IF_ERROR(factor_.need_gram());
  }
  return each(&Solver::choose_codes);
}

Result<StageSolution> Solver::solve(std::span<const LinearProblem> linears, StageStatistics& statistics,
                                    const Ties& ties) {
  const SolveRooms room = rooms(linears, statistics);
  StageSolution solution;
  if (options_.keep_calibration) {
    const auto copy = [](std::span<const float> values) { return std::vector<float>(values.begin(), values.end()); };
    solution.inputs = {statistics.tokens(), copy(statistics.mean_abs()), copy(statistics.mean()),
                       copy(statistics.mean_square())};
  }
  const bool parked = parks(statistics);
  if (!parked && !statistics.holds_gram()) return error(StatusCode::kInternal, "solve: there is no Gram matrix");
  SCROOGE_RETURN_IF_ERROR(factor_.begin(statistics.gram(), parked ? statistics.gram() : room.factor, room.factor_scale,
                                        parked ? &parking_->matrices : nullptr, !statistics.holds_gram()));
  // Of the unscaled Gram matrix; only what corrects or weakens asks for it.
  const bool corrects = options_.correct > 0 && statistics.has_original();
  const bool weakens = options_.weakens();
  if (parked && corrects && statistics.by_output()) {
    SCROOGE_RETURN_IF_ERROR(parking_->target.write(statistics.correction(), 0));
  }
  if (corrects || weakens) SCROOGE_RETURN_IF_ERROR(factor_.compute(statistics.mean_square()));
  SCROOGE_ASSIGN_OR_RETURN(const Targets targets, make_targets(linears, statistics, room));
  solution.corrected = targets.corrected;
  solution.broke_down = corrects && !targets.corrected;
  if (weakens && factor_.ready()) SCROOGE_RETURN_IF_ERROR(factor_.keep_factor());
  SCROOGE_RETURN_IF_ERROR(factor_.need_gram());
  std::vector<ScaledLinear> scaled;
  for (size_t i = 0; i < linears.size(); ++i) scaled.push_back({linears[i].name, targets.rows[i]});
  SCROOGE_ASSIGN_OR_RETURN(ScaleChoice choice, search_.find(scaled, statistics, ties, room.candidates));
  solution.choice = std::move(choice.candidate);
  solution.loss_choice = choice.loss;
  solution.loss_identity = choice.loss_identity;
  for (const LinearProblem& problem : linears) {
    LinearSolution& linear = solution.linears.emplace_back();
    const model::WeightRows& weight = *problem.weight;
    SCROOGE_ASSIGN_OR_RETURN(linear.quantized,
                             QuantizedLinear::create(device_, weight.rows(), weight.cols(), options_.spec));
  }
  SCROOGE_RETURN_IF_ERROR(weaken_scale(targets, statistics, room, solution));
  for (size_t i = 0; i < linears.size(); ++i) {
    SCROOGE_RETURN_IF_ERROR(rtn_loss(linears[i], targets, i, statistics, room, solution.linears[i]));
  }
  SCROOGE_RETURN_IF_ERROR(quantize_stage(linears, targets, statistics, room, solution));
  // f32 noise between two ways of computing the same loss is not a regression.
  constexpr double kNoise = 1 + 1e-5;
  const bool worse = std::any_of(solution.linears.begin(), solution.linears.end(),
                                 [](const LinearSolution& linear) { return linear.loss > linear.loss_rtn * kNoise; });
  if (worse && solution.choice.salience != ScaleCandidate::Salience::kIdentity) {
    SCROOGE_RETURN_IF_ERROR(factor_.unscale_gram(room.scale));
    solution.take_identity();
    solution.broke_down = corrects && !targets.corrected;
    SCROOGE_RETURN_IF_ERROR(quantize_stage(linears, targets, statistics, room, solution));
  }
  return solution;
}

Status Solver::park_gram(const StageStatistics& statistics) {
  return parking_->matrices.gram.write(statistics.gram(), 0);
}

Result<LinearSolution> Solver::round_to_nearest(const LinearProblem& linear) {
  LinearSolution solution;
  model::WeightRows& weight = *linear.weight;
  SCROOGE_ASSIGN_OR_RETURN(solution.quantized,
                           QuantizedLinear::create(device_, weight.rows(), weight.cols(), options_.spec));
  SCROOGE_RETURN_IF_ERROR(model::for_each_tile(weight, [&](int64_t first, const Matrix& w) {
    return round_to_nearest(w, solution.quantized.rows_from(first, w.rows));
  }));
  return solution;
}

}  // namespace scrooge::awq
