// SPDX-License-Identifier: Apache-2.0
// Round to nearest, then flip roundings, nearest ties first, so that each row's error weighted by the mean input
// cancels: the bias of the output goes, at the cost of column means only.
#include <algorithm>
#include <cmath>
#include <vector>

#include "src/awq/rounding/rounding.h"
#include "src/tensor/quantize_math.h"

namespace scrooge::awq {
namespace {

struct Flip {
  float distance;  // of the exact code from the tie, 0 to 0.5
  int32_t channel;
  float change;  // of the row's mean error
  int8_t step;   // of the code
};

// Flips closer to a tie than this share of a code are candidates; beyond it a flip costs more than bias is worth.
constexpr float kWidestFlip = 0.25f;

class RowFlipper {
 public:
  RowFlipper(std::span<const float> mean, const QuantSpec& spec) : mean_(mean), spec_(spec) {}

  void run(std::span<const float> w, std::span<const float> scales, std::span<const float> zeros,
           std::span<uint8_t> codes) {
    const int64_t g = spec_.group_length(static_cast<int64_t>(w.size()));
    const auto top = static_cast<float>(spec_.max_code());
    double error = 0;
    flips_.clear();
    for (size_t k = 0; k < w.size(); ++k) {
      const auto p = k / static_cast<size_t>(g);
      const float exact = w[k] / scales[p] + zeros[p];
      const float code = codes[k];
      error += static_cast<double>((code - exact) * scales[p] * mean_[k]);
      const float rest = exact - code;  // positive: the next code up is the other neighbour
      const float other = rest > 0 ? code + 1 : code - 1;
      const float distance = 0.5f - std::fabs(rest);
      if (other < 0 || other > top || distance > kWidestFlip || distance < 0) continue;
      flips_.push_back({distance, static_cast<int32_t>(k), (other - code) * scales[p] * mean_[k],
                        static_cast<int8_t>(rest > 0 ? 1 : -1)});
    }
    std::sort(flips_.begin(), flips_.end(), [](const Flip& a, const Flip& b) {
      return a.distance != b.distance ? a.distance < b.distance : a.channel < b.channel;
    });
    for (const Flip& flip : flips_) {
      const double after = error + static_cast<double>(flip.change);
      if (std::fabs(after) >= std::fabs(error)) continue;
      error = after;
      codes[static_cast<size_t>(flip.channel)] =
          static_cast<uint8_t>(codes[static_cast<size_t>(flip.channel)] + flip.step);
    }
  }

 private:
  std::span<const float> mean_;
  const QuantSpec& spec_;
  std::vector<Flip> flips_;
};

Status round_heuristic(backend::Device& device, const RoundingProblem& problem, const QuantizedView& to) {
  SCROOGE_RETURN_IF_ERROR(kNearest.round(device, problem, to));
  const auto k = static_cast<size_t>(to.codes.cols);
  const auto p = static_cast<size_t>(to.scales.cols);
  std::vector<float> w(k), scales(p), zeros(p);
  std::vector<uint8_t> codes(k);
  RowFlipper flipper(problem.mean_input, problem.spec);
  for (int64_t n = 0; n < to.codes.rows; ++n) {
    const auto floats = [](std::vector<float>& values) { return std::as_writable_bytes(std::span(values)); };
    const auto fetch = [&](const backend::Matrix& from, std::span<std::byte> values) {
      return device.download(*from.buffer, from.row_range(n, 1).offset, values);
    };
    SCROOGE_RETURN_IF_ERROR(fetch(problem.weight, floats(w)));
    SCROOGE_RETURN_IF_ERROR(fetch(to.scales, floats(scales)));
    SCROOGE_RETURN_IF_ERROR(fetch(to.zeros, floats(zeros)));
    SCROOGE_RETURN_IF_ERROR(fetch(to.codes, std::as_writable_bytes(std::span(codes))));
    flipper.run(w, scales, zeros, codes);
    SCROOGE_RETURN_IF_ERROR(
        device.upload(*to.codes.buffer, to.codes.row_range(n, 1).offset, std::as_bytes(std::span(codes))));
  }
  return {};
}

}  // namespace

const Rounding kHeuristic = {"heuristic", false, true, round_heuristic};

}  // namespace scrooge::awq
