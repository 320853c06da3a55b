// SPDX-License-Identifier: Apache-2.0
#include "src/awq/solve.h"

#include <algorithm>

namespace scrooge::awq {

using backend::Matrix;
using backend::ScaleAxisParams;
using backend::Vector;
using calibration::StageStatistics;

namespace {

bool needs_factor(const SolveOptions& options) { return options.rounding->needs_factor || options.correct > 0; }

}  // namespace

std::span<const backend::ClipCandidate> clip_candidates() {
  static constexpr backend::ClipCandidate kCandidates[] = {
      {1.00f, 1.00f}, {0.95f, 0.95f}, {0.90f, 0.90f}, {0.85f, 0.85f}, {0.80f, 0.80f}, {0.75f, 0.75f},
      {0.70f, 0.70f}, {0.65f, 0.65f}, {0.60f, 0.60f}, {0.55f, 0.55f}, {0.50f, 0.50f}};
  return kCandidates;
}

// Bytes of each scratch buffer.
struct Solver::Layout {
  int64_t inputs = 0;
  int64_t weights = 0;     // of the largest linear
  int64_t parameters = 0;  // groups of the largest linear
  int64_t stage = 0;       // weights of the largest stage

  Layout(std::span<const std::vector<Shape>> stages, const SolveOptions& options) {
    for (const std::vector<Shape>& shapes : stages) {
      int64_t sum = 0;
      for (const auto& [n, k] : shapes) {
        inputs = std::max(inputs, k);
        weights = std::max(weights, n * k);
        parameters = std::max(parameters, n * options.spec.groups(k));
        sum += n * k;
      }
      stage = std::max(stage, sum);
    }
  }
};

uint64_t Solver::scratch_bytes(std::span<const std::vector<Shape>> stages, const SolveOptions& options) {
  const Layout layout(stages, options);
  return ScaleSearch::device_bytes(layout.inputs, options.grid) +
         (needs_factor(options) ? GramFactor::device_bytes(layout.inputs) : 0) +
         float_bytes(options.correct > 0 ? layout.stage : 0) +
         float_bytes(2 * layout.weights + layout.inputs * layout.inputs + 2 * layout.inputs + 3 * layout.parameters) +
         static_cast<uint64_t>(layout.weights);
}

Result<std::unique_ptr<Solver>> Solver::create(backend::Device& device, std::span<const std::vector<Shape>> stages,
                                               const SolveOptions& options) {
  const Layout layout(stages, options);
  std::unique_ptr<Solver> solver(new Solver(device, options));
  SCROOGE_ASSIGN_OR_RETURN(ScaleSearch search, ScaleSearch::create(device, layout.inputs, options.grid, options.spec));
  solver->search_ = std::make_unique<ScaleSearch>(std::move(search));
  if (needs_factor(options)) {
    SCROOGE_ASSIGN_OR_RETURN(GramFactor factor, GramFactor::create(device, layout.inputs));
    solver->factor_ = std::make_unique<GramFactor>(std::move(factor));
  }
  if (options.correct > 0) {
    SCROOGE_ASSIGN_OR_RETURN(solver->targets_, device.allocate(float_bytes(layout.stage), "corrected targets"));
  }
  SCROOGE_ASSIGN_OR_RETURN(solver->scaled_weight_, device.allocate(float_bytes(layout.weights), "scaled weight"));
  SCROOGE_ASSIGN_OR_RETURN(solver->scaled_gram_,
                           device.allocate(float_bytes(layout.inputs * layout.inputs), "scaled Gram matrix"));
  SCROOGE_ASSIGN_OR_RETURN(solver->scale_, device.allocate(float_bytes(2 * layout.inputs), "scale"));
  SCROOGE_ASSIGN_OR_RETURN(solver->clip_error_, device.allocate(float_bytes(layout.parameters), "clip errors"));
  SCROOGE_ASSIGN_OR_RETURN(solver->trial_effective_, device.allocate(float_bytes(layout.weights), "trial weight"));
  QuantizedLinear& trial = solver->trial_;
  trial.spec = options.spec;
  SCROOGE_ASSIGN_OR_RETURN(trial.codes_buffer, device.allocate(static_cast<uint64_t>(layout.weights), "trial codes"));
  SCROOGE_ASSIGN_OR_RETURN(trial.scales_buffer, device.allocate(float_bytes(layout.parameters), "trial scales"));
  SCROOGE_ASSIGN_OR_RETURN(trial.zeros_buffer, device.allocate(float_bytes(layout.parameters), "trial zeros"));
  return solver;
}

Matrix Solver::scaled_gram(int64_t inputs) const {
  return {scaled_gram_.get(), 0, inputs, inputs, inputs, DType::kF32};
}

Vector Solver::inverse_scale(int64_t inputs) const { return {scale_.get(), float_bytes(inputs), inputs, DType::kF32}; }

// After the fold the inputs are x / s: their Gram matrix, its factor and their mean.
Status Solver::prepare_stage(const StageStatistics& statistics, StageSolution& solution) {
  const std::vector<float>& s = solution.choice.scale;
  const auto k = static_cast<int64_t>(s.size());
  SCROOGE_RETURN_IF_ERROR(upload_scale(s));
  const Matrix scaled = scaled_gram(k);
  SCROOGE_RETURN_IF_ERROR(
      device_.scale_axis({statistics.gram(), scaled, inverse_scale(k), ScaleAxisParams::Axis::kColumns}));
  SCROOGE_RETURN_IF_ERROR(device_.scale_axis({scaled, scaled, inverse_scale(k), ScaleAxisParams::Axis::kRows}));
  mean_input_.assign(statistics.mean().begin(), statistics.mean().end());
  for (size_t i = 0; i < s.size(); ++i) mean_input_[i] /= s[i];
  factor_ready_ = false;
  solution.damping = 0;
  if (options_.rounding->needs_factor) {
    std::vector<float> salience(statistics.mean_square().begin(), statistics.mean_square().end());
    for (size_t i = 0; i < s.size(); ++i) salience[i] /= s[i] * s[i];
    SCROOGE_ASSIGN_OR_RETURN(factor_ready_, factor_->compute(scaled, salience));
    if (factor_ready_) solution.damping = factor_->damping();
  }
  return {};
}

Status Solver::quantize_stage(std::span<const LinearProblem> linears, std::span<const Matrix> targets,
                              const StageStatistics& statistics, StageSolution& solution) {
  SCROOGE_RETURN_IF_ERROR(prepare_stage(statistics, solution));
  for (size_t i = 0; i < linears.size(); ++i) {
    Work work{linears[i], targets[i], statistics.gram(), {}};
    SCROOGE_RETURN_IF_ERROR(rtn_loss(work, solution.linears[i]));
    SCROOGE_RETURN_IF_ERROR(quantize_linear(work, solution.linears[i]));
  }
  return {};
}

Result<StageSolution> Solver::solve(std::span<const LinearProblem> linears, const StageStatistics& statistics,
                                    const Ties& ties) {
  StageSolution solution;
  factor_ready_ = false;
  // Of the unscaled Gram matrix; only what corrects or weakens asks for it.
  const bool corrects = options_.correct > 0 && statistics.has_original();
  const bool weakens = options_.rounding->needs_factor && options_.grid >= 2;
  if (corrects || weakens) {
    SCROOGE_ASSIGN_OR_RETURN(factor_ready_, factor_->compute(statistics.gram(), statistics.mean_square()));
  }
  std::vector<Matrix> targets;
  SCROOGE_ASSIGN_OR_RETURN(solution.corrected, make_targets(linears, statistics, targets));
  std::vector<ScaledLinear> scaled;
  for (size_t i = 0; i < linears.size(); ++i) scaled.push_back({linears[i].name, targets[i]});
  SCROOGE_ASSIGN_OR_RETURN(ScaleChoice choice, search_->find(scaled, statistics, ties));
  solution.choice = std::move(choice.candidate);
  solution.loss_choice = choice.loss;
  solution.loss_identity = choice.loss_identity;
  SCROOGE_RETURN_IF_ERROR(weaken_scale(targets, statistics, solution));
  for (const LinearProblem& problem : linears) {
    LinearSolution linear;
    SCROOGE_ASSIGN_OR_RETURN(linear.quantized,
                             QuantizedLinear::create(device_, problem.weight.rows, problem.weight.cols, options_.spec));
    solution.linears.push_back(std::move(linear));
  }
  SCROOGE_RETURN_IF_ERROR(quantize_stage(linears, targets, statistics, solution));
  // f32 noise between two ways of computing the same loss is not a regression.
  constexpr double kNoise = 1 + 1e-5;
  const bool worse = std::any_of(solution.linears.begin(), solution.linears.end(),
                                 [](const LinearSolution& linear) { return linear.loss > linear.loss_rtn * kNoise; });
  if (worse && solution.choice.salience != ScaleCandidate::Salience::kIdentity) {
    solution.take_identity();
    SCROOGE_RETURN_IF_ERROR(quantize_stage(linears, targets, statistics, solution));
  }
  return solution;
}

Result<LinearSolution> Solver::round_to_nearest(const LinearProblem& linear) {
  LinearSolution solution;
  SCROOGE_ASSIGN_OR_RETURN(solution.quantized,
                           QuantizedLinear::create(device_, linear.weight.rows, linear.weight.cols, options_.spec));
  SCROOGE_RETURN_IF_ERROR(round_to_nearest(linear.weight, solution.quantized));
  return solution;
}

}  // namespace scrooge::awq
