// SPDX-License-Identifier: Apache-2.0
#include "src/awq/gram_factor.h"

#include <algorithm>
#include <numeric>

namespace scrooge::awq {

using backend::Matrix;

Result<GramFactor> GramFactor::create(backend::Device& device, int64_t inputs) {
  GramFactor factor(device);
  const uint64_t bytes = device_bytes(inputs) / 2;
  SCROOGE_ASSIGN_OR_RETURN(factor.by_step_, device.allocate(bytes, "factor of the Gram matrix"));
  SCROOGE_ASSIGN_OR_RETURN(factor.by_channel_, device.allocate(bytes, "factor of the Gram matrix"));
  return factor;
}

Matrix GramFactor::by_step() const {
  const auto k = static_cast<int64_t>(order_.size());
  return {by_step_.get(), 0, k, k, k, DType::kF32};
}

Matrix GramFactor::by_channel() const {
  const auto k = static_cast<int64_t>(order_.size());
  return {by_channel_.get(), 0, k, k, k, DType::kF32};
}

Result<bool> GramFactor::compute(const Matrix& gram, std::span<const float> salience) {
  order_.resize(salience.size());
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) {
    return salience[static_cast<size_t>(a)] > salience[static_cast<size_t>(b)];
  });
  for (const double damping : {0.01, 0.1}) {
    bool definite = false;
    SCROOGE_RETURN_IF_ERROR(device_->gram_factor({gram, by_step(), by_channel(), order_, damping, &definite}));
    SCROOGE_RETURN_IF_ERROR(device_->synchronize());
    if (definite) {
      damping_ = damping;
      return true;
    }
  }
  return false;
}

// With U^T U = G^-1, (U diag(s))^T (U diag(s)) = (diag(1/s) G diag(1/s))^-1.
Result<Matrix> GramFactor::scaled(const backend::Vector& s) {
  const Matrix result = by_step();
  SCROOGE_RETURN_IF_ERROR(device_->scale_axis({by_channel(), result, s, backend::ScaleAxisParams::Axis::kRows}));
  return result;
}

}  // namespace scrooge::awq
