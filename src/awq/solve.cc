// SPDX-License-Identifier: Apache-2.0
#include "src/awq/solve.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace scrooge::awq {

using backend::Matrix;
using backend::Precision;
using backend::Vector;

namespace {

// The first pass ranks all candidates on a part of the rows, at the backend's fastest precision; the best few and the
// identity are then scored exactly on all rows.
constexpr int64_t kSampleStep = 4;
constexpr int64_t kSampleMinimumRows = 256;
constexpr size_t kFinalists = 6;

int64_t candidate_count(int64_t grid) { return grid < 2 ? 1 : 1 + 4 * (grid - 1); }

// Bytes of each scratch buffer.
struct Scratch {
  uint64_t weight = 0, gram = 0, candidates = 0, scale = 0, error = 0;

  Scratch(std::span<const Solver::Shape> shapes, const SolveOptions& options) {
    const auto grow = [](uint64_t& bytes, int64_t floats) {
      bytes = std::max(bytes, static_cast<uint64_t>(floats) * sizeof(float));
    };
    for (const auto& [n, k] : shapes) {
      grow(weight, n * k);
      grow(gram, k * k);
      grow(candidates, candidate_count(options.grid) * k);
      grow(scale, 2 * k);
      grow(error, n * options.spec.groups(k));
    }
  }
};

}  // namespace

std::span<const backend::ClipCandidate> clip_candidates() {
  static constexpr backend::ClipCandidate kCandidates[] = {
      {1.00f, 1.00f}, {0.95f, 0.95f}, {0.90f, 0.90f}, {0.85f, 0.85f}, {0.80f, 0.80f}, {0.75f, 0.75f},
      {0.70f, 0.70f}, {0.65f, 0.65f}, {0.60f, 0.60f}, {0.55f, 0.55f}, {0.50f, 0.50f}};
  return kCandidates;
}

uint64_t Solver::scratch_bytes(std::span<const Shape> shapes, const SolveOptions& options) {
  const Scratch scratch(shapes, options);
  return scratch.weight + scratch.gram + scratch.candidates + scratch.scale + scratch.error;
}

Result<std::unique_ptr<Solver>> Solver::create(backend::Device& device, std::span<const Shape> shapes,
                                               const SolveOptions& options) {
  const Scratch scratch(shapes, options);
  std::unique_ptr<Solver> solver(new Solver(device, options));
  SCROOGE_ASSIGN_OR_RETURN(solver->scaled_weight_, device.allocate(scratch.weight, "scaled weight"));
  SCROOGE_ASSIGN_OR_RETURN(solver->scaled_gram_, device.allocate(scratch.gram, "scaled Gram matrix"));
  SCROOGE_ASSIGN_OR_RETURN(solver->candidates_, device.allocate(scratch.candidates, "scale candidates"));
  SCROOGE_ASSIGN_OR_RETURN(solver->scale_, device.allocate(scratch.scale, "scale"));
  SCROOGE_ASSIGN_OR_RETURN(solver->error_, device.allocate(scratch.error, "clip errors"));
  return solver;
}

Status Solver::score(std::span<const LinearProblem> linears, const Matrix& gram,
                     std::span<const ScaleCandidate> candidates, int64_t row_step, Precision precision, Search& out) {
  const int64_t k = gram.cols;
  const auto count = static_cast<int64_t>(candidates.size());
  for (int64_t c = 0; c < count; ++c) {
    SCROOGE_RETURN_IF_ERROR(device_.upload(*candidates_, static_cast<uint64_t>(c * k) * sizeof(float),
                                           std::as_bytes(std::span(candidates[static_cast<size_t>(c)].scale))));
  }
  const Matrix scales{candidates_.get(), 0, count, k, k, DType::kF32};
  out.total.assign(candidates.size(), 0.0);
  out.by_linear.assign(linears.size(), std::vector<double>(candidates.size()));
  for (size_t i = 0; i < linears.size(); ++i) {
    Matrix w = linears[i].weight;
    if (row_step > 1 && w.rows >= kSampleMinimumRows) {
      w.rows = (w.rows + row_step - 1) / row_step;
      w.stride *= row_step;
    }
    const double share = static_cast<double>(linears[i].weight.rows) / static_cast<double>(w.rows);
    SCROOGE_RETURN_IF_ERROR(
        device_.scale_search_loss({w, gram, scales, options_.spec, Vector{}, out.by_linear[i], precision}));
    for (size_t c = 0; c < candidates.size(); ++c) {
      if (!std::isfinite(out.by_linear[i][c])) {
        return error(StatusCode::kNonFinite, linears[i].name, ": the loss of scale candidate ", c,
                     " is not finite; the weights or the calibration inputs overflow");
      }
      out.total[c] += share * out.by_linear[i][c];
    }
  }
  return {};
}

Result<size_t> Solver::choose(std::span<const LinearProblem> linears, const Matrix& gram,
                              std::vector<ScaleCandidate>& candidates, Search& finalists) {
  if (candidates.size() > kFinalists + 1) {
    Search coarse;
    SCROOGE_RETURN_IF_ERROR(score(linears, gram, candidates, kSampleStep, Precision::kFast, coarse));
    std::vector<size_t> order(candidates.size() - 1);
    std::iota(order.begin(), order.end(), size_t{1});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return coarse.total[a] < coarse.total[b]; });
    order.resize(kFinalists);
    std::sort(order.begin(), order.end());
    std::vector<ScaleCandidate> kept;
    kept.push_back(std::move(candidates.front()));
    for (const size_t index : order) kept.push_back(std::move(candidates[index]));
    candidates = std::move(kept);
  }
  SCROOGE_RETURN_IF_ERROR(score(linears, gram, candidates, 1, Precision::kExact, finalists));
  const auto best = std::min_element(finalists.total.begin(), finalists.total.end());  // the first of equals
  return static_cast<size_t>(best - finalists.total.begin());
}

Status Solver::set_scale(std::span<const float> scale) {
  std::vector<float> both(scale.begin(), scale.end());
  for (const float s : scale) both.push_back(1.0f / s);
  return device_.upload(*scale_, 0, std::as_bytes(std::span(both)));
}

Result<double> Solver::loss(const LinearProblem& linear, const Matrix& gram) {
  std::vector<double> rows(static_cast<size_t>(linear.weight.rows));
  SCROOGE_RETURN_IF_ERROR(device_.gram_loss({linear.effective, linear.weight, gram, rows}));
  const double sum = std::accumulate(rows.begin(), rows.end(), 0.0);
  if (!std::isfinite(sum)) {
    return error(StatusCode::kNonFinite, linear.name,
                 ": the loss is not finite; the weights or the calibration inputs "
                 "overflow");
  }
  return sum;
}

// Codes from the scales and zeros that stand in `quantized`, and the effective weight they give.
Status Solver::emit(const LinearProblem& linear, const Matrix& scaled, QuantizedLinear& quantized) {
  const int64_t k = scaled.cols;
  SCROOGE_RETURN_IF_ERROR(
      device_.quantize({scaled, quantized.scales(), quantized.zeros(), quantized.codes(), options_.spec}));
  SCROOGE_RETURN_IF_ERROR(
      device_.dequantize({quantized.codes(), quantized.scales(), quantized.zeros(), linear.effective, options_.spec}));
  const Vector inverse{scale_.get(), static_cast<uint64_t>(k) * sizeof(float), k, DType::kF32};
  return device_.scale_axis({linear.effective, linear.effective, inverse, backend::ScaleAxisParams::Axis::kColumns});
}

Status Solver::quantize_linear(const LinearProblem& linear, const Matrix& gram, LinearSolution& solution) {
  const int64_t n = linear.weight.rows;
  const int64_t k = linear.weight.cols;
  QuantizedLinear& quantized = solution.quantized;
  const Matrix scaled{scaled_weight_.get(), 0, n, k, k, DType::kF32};
  const Vector scale{scale_.get(), 0, k, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(device_.scale_axis({linear.weight, scaled, scale, backend::ScaleAxisParams::Axis::kColumns}));
  const auto full_range = [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(
        device_.group_params({scaled, quantized.scales(), quantized.zeros(), options_.spec, {}, {}}));
    return emit(linear, scaled, quantized);
  };
  SCROOGE_RETURN_IF_ERROR(full_range());
  SCROOGE_ASSIGN_OR_RETURN(solution.loss, loss(linear, gram));
  if (!options_.clip) return {};

  const auto parameters = static_cast<size_t>(n * options_.spec.groups(k));
  std::vector<float> unclipped(parameters);
  SCROOGE_RETURN_IF_ERROR(device_.download(*quantized.scales_buffer, 0, std::as_writable_bytes(std::span(unclipped))));
  const int64_t p = options_.spec.groups(k);
  const Matrix scaled_gram{scaled_gram_.get(), 0, k, k, k, DType::kF32};
  const Matrix errors{error_.get(), 0, n, p, p, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(device_.clip_search({scaled, scaled_gram, quantized.scales(), quantized.zeros(), errors,
                                               options_.spec, clip_candidates(), backend::ClipRule::kEnds}));
  SCROOGE_RETURN_IF_ERROR(emit(linear, scaled, quantized));
  SCROOGE_ASSIGN_OR_RETURN(const double clipped_loss, loss(linear, gram));
  // The search sees a group's own block of G only; the whole of G decides.
  if (clipped_loss >= solution.loss) return full_range();
  solution.loss = clipped_loss;
  solution.clipped = true;
  std::vector<float> clipped(parameters);
  SCROOGE_RETURN_IF_ERROR(device_.download(*quantized.scales_buffer, 0, std::as_writable_bytes(std::span(clipped))));
  const auto candidates = clip_candidates();
  solution.clip_histogram.assign(candidates.size(), 0);
  for (size_t i = 0; i < parameters; ++i) {
    const float ratio = clipped[i] / unclipped[i];
    size_t nearest = 0;
    for (size_t c = 1; c < candidates.size(); ++c) {
      if (std::fabs(candidates[c].high_ratio - ratio) < std::fabs(candidates[nearest].high_ratio - ratio)) nearest = c;
    }
    ++solution.clip_histogram[nearest];
  }
  return {};
}

Status Solver::quantize_stage(std::span<const LinearProblem> linears, const Matrix& gram, StageSolution& solution) {
  const int64_t k = gram.cols;
  SCROOGE_RETURN_IF_ERROR(set_scale(solution.choice.scale));
  // After the fold the inputs are x / s, so their Gram matrix is diag(1/s) G diag(1/s).
  const Matrix scaled_gram{scaled_gram_.get(), 0, k, k, k, DType::kF32};
  const Vector inverse{scale_.get(), static_cast<uint64_t>(k) * sizeof(float), k, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(device_.scale_axis({gram, scaled_gram, inverse, backend::ScaleAxisParams::Axis::kColumns}));
  SCROOGE_RETURN_IF_ERROR(
      device_.scale_axis({scaled_gram, scaled_gram, inverse, backend::ScaleAxisParams::Axis::kRows}));
  for (size_t i = 0; i < linears.size(); ++i) {
    SCROOGE_RETURN_IF_ERROR(quantize_linear(linears[i], gram, solution.linears[i]));
  }
  return {};
}

Result<StageSolution> Solver::solve(std::span<const LinearProblem> linears,
                                    const calibration::StageStatistics& statistics, const Ties& ties) {
  const Matrix gram = statistics.gram();
  WeightSalience weight(gram.cols);
  for (const LinearProblem& linear : linears) {
    SCROOGE_RETURN_IF_ERROR(weight.add(device_, linear.weight, options_.spec));
  }
  const std::vector<float> weight_mean = weight.mean();
  std::vector<ScaleCandidate> candidates =
      make_scale_candidates({statistics.mean_abs(), statistics.mean_square(), weight_mean}, ties, options_.grid);
  Search search;
  SCROOGE_ASSIGN_OR_RETURN(const size_t best, choose(linears, gram, candidates, search));

  StageSolution solution;
  solution.choice = candidates[best];
  solution.loss_identity = search.total.front();
  solution.loss_choice = search.total[best];
  for (size_t i = 0; i < linears.size(); ++i) {
    LinearSolution linear;
    SCROOGE_ASSIGN_OR_RETURN(linear.quantized, QuantizedLinear::create(device_, linears[i].weight.rows,
                                                                       linears[i].weight.cols, options_.spec));
    linear.loss_rtn = search.by_linear[i].front();  // the identity without clipping is round-to-nearest
    solution.linears.push_back(std::move(linear));
  }
  SCROOGE_RETURN_IF_ERROR(quantize_stage(linears, gram, solution));
  // f32 noise between two ways of computing the same loss is not a regression.
  constexpr double kNoise = 1 + 1e-5;
  const bool worse = std::any_of(solution.linears.begin(), solution.linears.end(),
                                 [](const LinearSolution& linear) { return linear.loss > linear.loss_rtn * kNoise; });
  if (worse && best != 0) {
    solution.choice = candidates.front();
    solution.loss_choice = search.total.front();
    solution.fell_back = true;
    for (LinearSolution& linear : solution.linears) {
      linear.clipped = false;
      linear.clip_histogram.clear();
    }
    SCROOGE_RETURN_IF_ERROR(quantize_stage(linears, gram, solution));
  }
  return solution;
}

Result<LinearSolution> Solver::round_to_nearest(const LinearProblem& linear) {
  LinearSolution solution;
  SCROOGE_ASSIGN_OR_RETURN(solution.quantized,
                           QuantizedLinear::create(device_, linear.weight.rows, linear.weight.cols, options_.spec));
  QuantizedLinear& quantized = solution.quantized;
  SCROOGE_RETURN_IF_ERROR(
      device_.group_params({linear.weight, quantized.scales(), quantized.zeros(), options_.spec, {}, {}}));
  SCROOGE_RETURN_IF_ERROR(
      device_.quantize({linear.weight, quantized.scales(), quantized.zeros(), quantized.codes(), options_.spec}));
  return solution;
}

}  // namespace scrooge::awq
