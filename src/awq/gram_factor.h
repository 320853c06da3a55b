// SPDX-License-Identifier: Apache-2.0
// The factor of an inverted Gram matrix, with a ladder of damping.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::awq {

// One thread at a time; the device must outlive it.
class GramFactor {
 public:
  explicit GramFactor(backend::Device& device) : device_(&device) {}
  // Where the factor of the next compute() goes, [K,K] both. by_step may be the Gram matrix itself, which compute()
  // then destroys.
  void place(const backend::Matrix& by_step, const backend::Matrix& by_channel) {
    by_step_ = by_step;
    by_channel_ = by_channel;
  }
  // Factors the matrix with channels in the order of falling `salience` [K] (its diagonal, up to a factor), the lower
  // channel first among equals. Damping of 1 % of the mean diagonal, then 10 %; false when neither is enough.
  Result<bool> compute(const backend::Matrix& gram, std::span<const float> salience);

  // After compute() gave true:
  const backend::Matrix& by_step() const { return by_step_; }  // op_params.h, GramFactorParams
  const backend::Matrix& by_channel() const { return by_channel_; }
  // Makes by_channel() that of diag(1/s) G diag(1/s), with the damping and order of G; by_step() stays behind.
  Status scale(const backend::Vector& s);
  std::span<const int32_t> order() const { return order_; }
  double damping() const { return damping_; }

 private:
  backend::Device* device_;
  backend::Matrix by_step_;
  backend::Matrix by_channel_;
  std::vector<int32_t> order_;
  double damping_ = 0;
};

}  // namespace scrooge::awq
