// SPDX-License-Identifier: Apache-2.0
// Workspace: the buffers of one case, filled with seeded values. Keeps its first failure, so that a case is written
// without looking at each.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::bench {

class Workspace {
 public:
  explicit Workspace(backend::Device& device) : device_(device) {}

  backend::Device& device() { return device_; }
  const Status& status() const { return status_; }
  void clear();

  // Zeros. A matrix whose buffer could not be had is not to be used: status() says why.
  backend::Matrix zeros(int64_t rows, int64_t cols, DType dtype = DType::kF32);
  backend::Matrix random(int64_t rows, int64_t cols, float low = -1, float high = 1);
  // Codes of `bits` bits, u8.
  backend::Matrix random_codes(int64_t rows, int64_t cols, int bits);
  // A Gram matrix of inputs whose neighbours resemble each other and whose magnitudes differ: r_i r_j 0.9^|i - j|,
  // positive definite at any size without a product.
  backend::Matrix gram(int64_t size);
  backend::Vector zero_vector(int64_t size) { return as_vector(zeros(1, size)); }
  backend::Vector random_vector(int64_t size, float low = -1, float high = 1) {
    return as_vector(random(1, size, low, high));
  }
  void require(Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

 private:
  static backend::Vector as_vector(const backend::Matrix& m) { return {m.buffer, m.offset, m.cols, m.dtype}; }

  backend::Device& device_;
  std::vector<std::unique_ptr<backend::Buffer>> buffers_;
  Status status_;
};

}  // namespace scrooge::bench
