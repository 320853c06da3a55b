// SPDX-License-Identifier: Apache-2.0
// What is kept of a stage's inputs X[T,K]: the Gram matrix G = X^T X, the column sums of |x|, and the token count;
// plain sums, taken in chunks of fixed size. Everything the search needs follows from these and the weights (design:
// loss of a candidate with D = W' - W is trace(D G D^T), exactly).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::calibration {

// One thread at a time. The device must outlive it.
class StageStatistics {
 public:
  static uint64_t device_bytes(int64_t inputs);
  static Result<StageStatistics> create(backend::Device& device, int64_t inputs);

  // Starts over, for a stage of `inputs` <= the width it was created for.
  Status reset(int64_t inputs);
  Status add(const backend::Matrix& x, backend::Precision precision);
  // Completes G's lower triangle and fetches the vectors. kNonFinite, with the count of bad columns and `where` in the
  // message, when any statistic is NaN or infinite; kInternal when nothing was added or X was all zero (a calibration
  // that never ran must not pass for one that did).
  Status finish(std::string_view where);

  // After finish():
  backend::Matrix gram() const;                                        // [K,K], both triangles
  std::span<const float> mean_abs() const { return mean_abs_; }        // [K]
  std::span<const float> mean_square() const { return mean_square_; }  // [K]
  uint64_t tokens() const { return tokens_; }
  // sum over tokens of |x|^2 for messages and relative losses
  double energy() const;

 private:
  explicit StageStatistics(backend::Device& device) : device_(&device) {}

  backend::Device* device_;
  std::unique_ptr<backend::Buffer> gram_;
  std::unique_ptr<backend::Buffer> sums_;  // sum |x| [K], then the Gram's diagonal [K]
  int64_t inputs_ = 0;
  uint64_t tokens_ = 0;
  std::vector<float> mean_abs_;
  std::vector<float> mean_square_;
};

}  // namespace scrooge::calibration
