// SPDX-License-Identifier: Apache-2.0
// Finds the scale of a stage among the candidates of scale_candidates.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/awq/scale_candidates.h"
#include "src/calibration/stage_statistics.h"

namespace scrooge::awq {

struct ScaledLinear {
  std::string_view name;   // for messages
  backend::Matrix target;  // [N,K] f32
};

struct ScaleChoice {
  ScaleCandidate candidate;
  double loss = 0;  // round-to-nearest losses, summed over the linears
  double loss_identity = 0;
};

// One thread at a time; the device must outlive it.
class ScaleSearch {
 public:
  static uint64_t device_bytes(int64_t inputs, int64_t grid);
  static Result<ScaleSearch> create(backend::Device& device, int64_t inputs, int64_t grid, const QuantSpec& spec);

  // kNonFinite names the linear whose loss is NaN or infinite.
  Result<ScaleChoice> find(std::span<const ScaledLinear> linears, const calibration::StageStatistics& statistics,
                           const Ties& ties);

 private:
  explicit ScaleSearch(backend::Device& device) : device_(&device) {}
  Status score(std::span<const ScaledLinear> linears, const backend::Matrix& gram,
               std::span<const ScaleCandidate> candidates, bool sampled, backend::Precision precision,
               std::vector<double>& total);
  Result<std::vector<ScaleCandidate>> rank(std::span<const ScaledLinear> linears, const backend::Matrix& gram,
                                           std::vector<ScaleCandidate> candidates);

  backend::Device* device_;
  int64_t grid_ = 0;
  QuantSpec spec_;
  std::unique_ptr<backend::Buffer> candidates_;
};

}  // namespace scrooge::awq
