// SPDX-License-Identifier: Apache-2.0
#include "src/awq/scale_candidates.h"

#include <algorithm>
#include <cmath>

#include "src/base/portable_math.h"

namespace scrooge::awq {
namespace {

// Averages over tied channels and gives every channel its tie's value.
std::vector<double> tie(std::span<const float> values, const Ties& ties) {
  std::vector<double> result(values.begin(), values.end());
  if (ties.group_of.empty()) return result;
  std::vector<double> sums(static_cast<size_t>(ties.groups));
  std::vector<double> counts(static_cast<size_t>(ties.groups));
  for (size_t k = 0; k < values.size(); ++k) {
    sums[static_cast<size_t>(ties.group_of[k])] += static_cast<double>(values[k]);
    counts[static_cast<size_t>(ties.group_of[k])] += 1;
  }
  for (size_t k = 0; k < values.size(); ++k) {
    const auto group = static_cast<size_t>(ties.group_of[k]);
    result[k] = sums[group] / counts[group];
  }
  return result;
}

std::vector<float> candidate_scale(std::span<const double> salience, std::span<const double> weight, double alpha) {
  std::vector<double> scale(salience.size());
  for (size_t k = 0; k < scale.size(); ++k) {
    double value = portable_power(salience[k], alpha);
    if (!weight.empty()) value /= portable_power(weight[k], 1 - alpha) + 1e-4;
    scale[k] = std::max(value, 1e-4);
  }
  const auto [low, high] = std::minmax_element(scale.begin(), scale.end());
  const double middle = std::sqrt(*low * *high);
  std::vector<float> result(scale.size());
  for (size_t k = 0; k < scale.size(); ++k) {
    const auto value = static_cast<float>(scale[k] / middle);
    result[k] = std::isfinite(value) && value > 0 ? value : 1.0f;
  }
  return result;
}

// The tied saliences that candidates are made of.
class CandidateMaker {
 public:
  CandidateMaker(const SalienceInputs& inputs, const Ties& ties)
      : mean_abs_(tie(inputs.mean_abs, ties)), rms_(tie(inputs.mean_square, ties)), weight_(tie(inputs.weight, ties)) {
    for (double& value : rms_) value = std::sqrt(value);
  }
  ScaleCandidate make(ScaleCandidate::Salience salience, bool weight_term, double alpha) const {
    const std::vector<double>& m = salience == ScaleCandidate::Salience::kMeanAbs ? mean_abs_ : rms_;
    const auto weight = weight_term ? std::span<const double>(weight_) : std::span<const double>();
    return {salience, weight_term, alpha, 1, candidate_scale(m, weight, alpha)};
  }

 private:
  std::vector<double> mean_abs_, rms_, weight_;
};

}  // namespace

std::string ScaleCandidate::name() const {
  if (salience == Salience::kIdentity) return "identity";
  return concat(salience == Salience::kMeanAbs ? "mean_abs" : "rms", weight_term ? "_weight" : "",
                strength < 1 ? concat("^", format_fixed(strength, 2)) : "");
}

ScaleCandidate ScaleCandidate::weaker(double by) const {
  ScaleCandidate result;
  if (by > 0) {
    result = *this;
    result.strength = strength * by;
  }
  result.scale.resize(scale.size());
  for (size_t k = 0; k < scale.size(); ++k) {
    result.scale[k] = static_cast<float>(portable_power(static_cast<double>(scale[k]), by));
  }
  return result;
}

std::vector<ScaleCandidate> make_scale_candidates(const SalienceInputs& inputs, const Ties& ties, int64_t grid) {
  std::vector<ScaleCandidate> candidates(1);
  candidates.front().scale.assign(inputs.mean_abs.size(), 1.0f);
  if (grid < 2) return candidates;
  const CandidateMaker maker(inputs, ties);
  for (const auto salience : {ScaleCandidate::Salience::kMeanAbs, ScaleCandidate::Salience::kRootMeanSquare}) {
    for (const bool weight_term : {false, true}) {
      for (int64_t i = 1; i < grid; ++i) {
        candidates.push_back(maker.make(salience, weight_term, static_cast<double>(i) / static_cast<double>(grid)));
      }
    }
  }
  return candidates;
}

std::vector<ScaleCandidate> make_candidates_near(const ScaleCandidate& best, const SalienceInputs& inputs,
                                                 const Ties& ties, int64_t grid) {
  const CandidateMaker maker(inputs, ties);
  std::vector<ScaleCandidate> candidates;
  for (const double steps : {-0.5, -0.25, 0.25, 0.5}) {
    candidates.push_back(maker.make(best.salience, best.weight_term, best.alpha + steps / static_cast<double>(grid)));
  }
  return candidates;
}

Status WeightSalience::add(backend::Device& device, const backend::Matrix& w, const QuantSpec& spec) {
  constexpr int64_t kTileRows = 64;
  const auto columns = static_cast<size_t>(w.cols);
  std::vector<float> row(columns * kTileRows);
  const int64_t g = spec.group_length(w.cols);
  for (int64_t first = 0; first < w.rows; first += kTileRows) {
    const int64_t count = std::min(kTileRows, w.rows - first);
    for (int64_t r = 0; r < count; ++r) {
      const uint64_t offset = w.offset + static_cast<uint64_t>((first + r) * w.stride) * sizeof(float);
      SCROOGE_RETURN_IF_ERROR(
          device.download(*w.buffer, offset,
                          std::as_writable_bytes(std::span(row).subspan(static_cast<size_t>(r) * columns, columns))));
    }
    for (int64_t r = 0; r < count; ++r) {
      const float* values = row.data() + static_cast<size_t>(r) * columns;
      for (int64_t begin = 0; begin < w.cols; begin += g) {
        const int64_t end = std::min(begin + g, w.cols);
        float largest = 0;
        for (int64_t k = begin; k < end; ++k) largest = std::max(largest, std::fabs(values[k]));
        for (int64_t k = begin; k < end; ++k) {
          sums_[static_cast<size_t>(k)] += static_cast<double>(std::fabs(values[k]) / (largest + 1e-6f));
        }
      }
    }
  }
  rows_ += w.rows;
  return {};
}

std::vector<float> WeightSalience::mean() const {
  std::vector<float> result(sums_.size());
  for (size_t k = 0; k < sums_.size(); ++k) result[k] = static_cast<float>(sums_[k] / static_cast<double>(rows_));
  return result;
}

}  // namespace scrooge::awq
