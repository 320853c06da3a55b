// SPDX-License-Identifier: Apache-2.0
#include "src/awq/scale_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/awq/row_sample.h"

namespace scrooge::awq {

using backend::Matrix;
using backend::Precision;

namespace {

// The first pass ranks all candidates on a part of the rows, at the backend's fastest precision; the best few and the
// identity are then scored exactly on all rows.
constexpr size_t kFinalists = 6;

}  // namespace

int64_t ScaleSearch::max_candidates(int64_t grid) { return grid < 2 ? 1 : 1 + 4 * (grid - 1); }

Status ScaleSearch::score(std::span<const ScaledLinear> linears, const Matrix& gram,
                          std::span<const ScaleCandidate> candidates, bool sampled, Precision precision,
                          std::vector<double>& total) {
  const auto count = static_cast<int64_t>(candidates.size());
  for (int64_t c = 0; c < count; ++c) {
    SCROOGE_RETURN_IF_ERROR(device_->upload(*room_.buffer, room_.row_range(c, 1).offset,
                                            std::as_bytes(std::span(candidates[static_cast<size_t>(c)].scale))));
  }
  const Matrix scales = room_.row_range(0, count);
  total.assign(candidates.size(), 0.0);
  std::vector<double> losses(candidates.size());
  for (const ScaledLinear& linear : linears) {
    const RowSample sample(linear.target->rows());
    const Status scored = model::for_each_tile(*linear.target, [&](int64_t, const Matrix& tile) {
      const Matrix w = sampled ? sample.of(tile) : tile;
      SCROOGE_RETURN_IF_ERROR(device_->scale_search_loss({w, gram, scales, spec_, {}, losses, precision}));
      SCROOGE_RETURN_IF_ERROR(device_->synchronize());
      for (size_t c = 0; c < candidates.size(); ++c) {
        if (!std::isfinite(losses[c])) {
          return error(StatusCode::kNonFinite, linear.name, ": the loss of scale candidate ", c,
                       " is not finite; the weights or the calibration inputs overflow");
        }
        total[c] += sampled ? sample.share() * losses[c] : losses[c];
      }
      return Status();
    });
    if (!scored.ok()) return scored;
  }
  return {};
}

Result<std::vector<ScaleCandidate>> ScaleSearch::rank(std::span<const ScaledLinear> linears, const Matrix& gram,
                                                      std::vector<ScaleCandidate> candidates) {
  std::vector<double> total;
  SCROOGE_RETURN_IF_ERROR(score(linears, gram, candidates, true, Precision::kFast, total));
  std::vector<size_t> order(candidates.size() - 1);
  std::iota(order.begin(), order.end(), size_t{1});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return total[a] < total[b]; });
  order.resize(kFinalists);
  std::sort(order.begin(), order.end());
  std::vector<ScaleCandidate> kept;
  kept.push_back(std::move(candidates.front()));
  for (const size_t index : order) kept.push_back(std::move(candidates[index]));
  return kept;
}

Result<ScaleChoice> ScaleSearch::find(std::span<const ScaledLinear> linears,
                                      const calibration::StageStatistics& statistics, const Ties& ties,
                                      const Matrix& room) {
  const Matrix gram = statistics.gram();
  room_ = room;
  WeightSalience weight(gram.cols);
  for (const ScaledLinear& linear : linears) {
    SCROOGE_RETURN_IF_ERROR(model::for_each_tile(
        *linear.target, [&](int64_t, const Matrix& tile) { return weight.add(*device_, tile, spec_); }));
  }
  const std::vector<float> weight_mean = weight.mean();
  const SalienceInputs inputs{statistics.mean_abs(), statistics.mean_square(), weight_mean};
  std::vector<ScaleCandidate> candidates = make_scale_candidates(inputs, ties, grid_);
  if (candidates.size() > kFinalists + 1) {
    SCROOGE_ASSIGN_OR_RETURN(candidates, rank(linears, gram, std::move(candidates)));
  }
  std::vector<double> total;
  SCROOGE_RETURN_IF_ERROR(score(linears, gram, candidates, false, Precision::kExact, total));
  const auto best = static_cast<size_t>(std::min_element(total.begin(), total.end()) - total.begin());
  ScaleChoice choice{std::move(candidates[best]), total[best], total.front()};
  if (best == 0) return choice;
  candidates = make_candidates_near(choice.candidate, inputs, ties, grid_);
  SCROOGE_RETURN_IF_ERROR(score(linears, gram, candidates, false, Precision::kExact, total));
  const auto nearer = static_cast<size_t>(std::min_element(total.begin(), total.end()) - total.begin());
  if (total[nearer] < choice.loss) {
    choice.candidate = std::move(candidates[nearer]);
    choice.loss = total[nearer];
  }
  return choice;
}

}  // namespace scrooge::awq
