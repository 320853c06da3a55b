// SPDX-License-Identifier: Apache-2.0
// The candidates of the AWQ scale search (Lin et al., arXiv 2306.00978, with AutoAWQ's weight term).
//
//   s = max(m^a, 1e-4)                      or, with the weight term,
//   s = max(m^a / (w^(1-a) + 1e-4), 1e-4),  then  s / sqrt(max(s) * min(s)),  a = 1/grid .. (grid-1)/grid
//
// m is the salience of an input channel (mean |x|, or the root mean square of x), w the mean over rows of |W| relative
// to the largest of its group. The identity comes first, so that it wins ties.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::awq {

struct ScaleCandidate {
  enum class Salience : int32_t { kIdentity = 0, kMeanAbs = 1, kRootMeanSquare = 2 };
  Salience salience = Salience::kIdentity;
  bool weight_term = false;
  double alpha = 0;
  double strength = 1;       // the exponent of weaker()
  std::vector<float> scale;  // [K]

  // "identity", "mean_abs", "rms_weight", "rms_weight^0.50", ...
  std::string name() const;
  // Every s to the power of `strength`, in 0..1; at 0 the identity.
  ScaleCandidate weaker(double strength) const;
};

struct SalienceInputs {
  std::span<const float> mean_abs;     // [K]
  std::span<const float> mean_square;  // [K]
  std::span<const float> weight;       // [K], from WeightSalience
};

// Saliences averaged over the input channels that share a scale. `group_of[k]` in [0, groups); empty: no ties.
struct Ties {
  std::span<const int64_t> group_of;
  int64_t groups = 0;
};

std::vector<ScaleCandidate> make_scale_candidates(const SalienceInputs& inputs, const Ties& ties, int64_t grid);

// The same kind as `best`, with alphas a quarter and half a grid step to either side of its own. REQUIRES: `best` is of
// that grid and not the identity.
std::vector<ScaleCandidate> make_candidates_near(const ScaleCandidate& best, const SalienceInputs& inputs,
                                                 const Ties& ties, int64_t grid);

// w of the weight term, over one or more linears that read the same input.
class WeightSalience {
 public:
  explicit WeightSalience(int64_t inputs) : sums_(static_cast<size_t>(inputs)) {}
  // Reads W[N,K] (f32) from the device row tile by row tile; g as in QuantSpec.
  Status add(backend::Device& device, const backend::Matrix& w, const QuantSpec& spec);
  std::vector<float> mean() const;

 private:
  std::vector<double> sums_;
  int64_t rows_ = 0;
};

}  // namespace scrooge::awq
