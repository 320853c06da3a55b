// SPDX-License-Identifier: Apache-2.0
// The factor of an inverted Gram matrix, with a ladder of damping.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::awq {

// One thread at a time; the device must outlive it.
class GramFactor {
 public:
  static uint64_t device_bytes(int64_t inputs) { return static_cast<uint64_t>(2 * inputs * inputs) * sizeof(float); }
  static Result<GramFactor> create(backend::Device& device, int64_t inputs);

  // Factors the matrix with channels in the order of falling `salience` [K] (its diagonal, up to a factor), the lower
  // channel first among equals. Damping of 1 % of the mean diagonal, then 10 %; false when neither is enough.
  Result<bool> compute(const backend::Matrix& gram, std::span<const float> salience);

  // After compute() gave true:
  backend::Matrix by_step() const;  // op_params.h, GramFactorParams
  backend::Matrix by_channel() const;
  // by_channel() of diag(1/s) G diag(1/s), with the damping and order of G. Overwrites by_step().
  Result<backend::Matrix> scaled(const backend::Vector& s);
  std::span<const int32_t> order() const { return order_; }
  double damping() const { return damping_; }

 private:
  explicit GramFactor(backend::Device& device) : device_(&device) {}

  backend::Device* device_;
  std::unique_ptr<backend::Buffer> by_step_;
  std::unique_ptr<backend::Buffer> by_channel_;
  std::vector<int32_t> order_;
  double damping_ = 0;
};

}  // namespace scrooge::awq
