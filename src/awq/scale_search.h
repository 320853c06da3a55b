// SPDX-License-Identifier: Apache-2.0
// Finds the scale of a stage among the candidates of scale_candidates.h.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "src/awq/scale_candidates.h"
#include "src/calibration/stage_statistics.h"
#include "src/model/weight_rows.h"

namespace scrooge::awq {

struct ScaledLinear {
  std::string_view name;      // for messages
  model::WeightRows* target;  // [N,K]
};

struct ScaleChoice {
  ScaleCandidate candidate;
  double loss = 0;  // round-to-nearest losses, summed over the linears
  double loss_identity = 0;
};

// One thread at a time; the device must outlive it.
class ScaleSearch {
 public:
  ScaleSearch(backend::Device& device, int64_t grid, const QuantSpec& spec)
      : device_(&device), grid_(grid), spec_(spec) {}
  // That are scored at once.
  static int64_t max_candidates(int64_t grid);

  // `room`: [max_candidates, K]. kNonFinite names the linear whose loss is NaN or infinite.
  Result<ScaleChoice> find(std::span<const ScaledLinear> linears, const calibration::StageStatistics& statistics,
                           const Ties& ties, const backend::Matrix& room);

 private:
  Status score(std::span<const ScaledLinear> linears, const backend::Matrix& gram,
               std::span<const ScaleCandidate> candidates, bool sampled, backend::Precision precision,
               std::vector<double>& total);
  Result<std::vector<ScaleCandidate>> rank(std::span<const ScaledLinear> linears, const backend::Matrix& gram,
                                           std::vector<ScaleCandidate> candidates);

  backend::Device* device_;
  int64_t grid_;
  QuantSpec spec_;
  backend::Matrix room_;
};

}  // namespace scrooge::awq
