// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/token_scores.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace scrooge::pipeline {
namespace {

// e^x for x <= 0 in f32, about 1 ulp: 2^n * p(f), n = round(x / ln 2), |f| <= ln(2) / 2, p the Taylor polynomial of
// degree 7. Written without branches or calls so that the compiler vectorizes the loops below; libm's does not.
inline float exp_nonpositive(float x) {
  x = std::max(x, -87.0f);
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const float shifted = x * 1.44269504f + kRound;
  const float n = shifted - kRound;
  const float f = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * f + 1.0f / 720;
  p = p * f + 1.0f / 120;
  p = p * f + 1.0f / 24;
  p = p * f + 1.0f / 6;
  p = p * f + 0.5f;
  p = p * f + 1.0f;
  p = p * f + 1.0f;
  const auto exponent = static_cast<uint32_t>(std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound));
  return std::bit_cast<float>(std::bit_cast<uint32_t>(p) + (exponent << 23));
}

// Sums run in 16 lanes, each short enough for f32, and are joined in f64.
constexpr size_t kLanes = 16;
constexpr size_t kRun = 1024;

float row_max(std::span<const float> row, int32_t& index) {
  std::array<float, kLanes> lanes;
  lanes.fill(-std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + kLanes <= row.size(); i += kLanes) {
    for (size_t k = 0; k < kLanes; ++k) lanes[k] = std::max(lanes[k], row[i + k]);
  }
  float best = *std::max_element(lanes.begin(), lanes.end());
  for (; i < row.size(); ++i) best = std::max(best, row[i]);
  index = static_cast<int32_t>(std::find(row.begin(), row.end(), best) - row.begin());
  return best;
}

double sum_exp(std::span<const float> row, float max) {
  double total = 0;
  for (size_t begin = 0; begin < row.size(); begin += kRun) {
    const size_t end = std::min(begin + kRun, row.size());
    std::array<float, kLanes> lanes{};
    size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      for (size_t k = 0; k < kLanes; ++k) lanes[k] += exp_nonpositive(row[i + k] - max);
    }
    for (; i < end; ++i) lanes[0] += exp_nonpositive(row[i] - max);
    for (const float lane : lanes) total += static_cast<double>(lane);
  }
  return total;
}

void sum_reference(std::span<const float> reference, std::span<const float> row, float max, double& sum,
                   double& weighted) {
  for (size_t begin = 0; begin < row.size(); begin += kRun) {
    const size_t end = std::min(begin + kRun, row.size());
    std::array<float, kLanes> plain{};
    std::array<float, kLanes> times{};
    size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      for (size_t k = 0; k < kLanes; ++k) {
        const float e = exp_nonpositive(reference[i + k] - max);
        plain[k] += e;
        times[k] += e * (reference[i + k] - row[i + k]);
      }
    }
    for (; i < end; ++i) {
      const float e = exp_nonpositive(reference[i] - max);
      plain[0] += e;
      times[0] += e * (reference[i] - row[i]);
    }
    for (size_t k = 0; k < kLanes; ++k) {
      sum += static_cast<double>(plain[k]);
      weighted += static_cast<double>(times[k]);
    }
  }
}

// Rescales a running sum to a new maximum; the first slice has nothing to rescale.
double rescale(float from, float to) { return std::isinf(from) ? 0.0 : std::exp(static_cast<double>(from - to)); }

}  // namespace

void TokenScore::add(std::span<const float> logits, std::span<const float> reference, int32_t first,
                     int32_t target_id) {
  const auto at = static_cast<size_t>(target_id - first);
  const bool here = target_id >= first && at < logits.size();
  int32_t index = 0;
  const float slice_max = row_max(logits, index);
  if (slice_max > max) {
    sum *= rescale(max, slice_max);
    max = slice_max;
    best = first + index;
  }
  sum += sum_exp(logits, max);
  if (here) target = logits[at];
  if (reference.empty()) return;
  const float reference_slice_max = row_max(reference, index);
  if (reference_slice_max > reference_max) {
    const double factor = rescale(reference_max, reference_slice_max);
    reference_sum *= factor;
    weighted_difference *= factor;
    reference_max = reference_slice_max;
    reference_best = first + index;
  }
  sum_reference(reference, logits, reference_max, reference_sum, weighted_difference);
  if (here) reference_target = reference[at];
}

double TokenScore::log_likelihood() const { return static_cast<double>(target - max) - std::log(sum); }

double TokenScore::reference_log_likelihood() const {
  return static_cast<double>(reference_target - reference_max) - std::log(reference_sum);
}

double TokenScore::kl() const {
  const double log_z = static_cast<double>(max) + std::log(sum);
  const double reference_log_z = static_cast<double>(reference_max) + std::log(reference_sum);
  return weighted_difference / reference_sum - reference_log_z + log_z;
}

}  // namespace scrooge::pipeline
