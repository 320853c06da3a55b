// SPDX-License-Identifier: Apache-2.0
#include "src/awq/gram_factor.h"

#include <algorithm>
#include <numeric>

namespace scrooge::awq {

using backend::Matrix;

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
Status GramFactor::scale(const backend::Vector& s) {
  return device_->scale_axis({by_channel(), by_channel(), s, backend::ScaleAxisParams::Axis::kRows});
}

}  // namespace scrooge::awq
