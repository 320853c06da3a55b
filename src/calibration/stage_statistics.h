// SPDX-License-Identifier: Apache-2.0
// What is kept of a stage's inputs X[T,K]: the Gram matrix G = X^T X, the column sums of |x| and x, and the token
// count; plain sums, taken in chunks of fixed size. Everything the search needs follows from these and the weights: the
// loss of a candidate with D = W' - W is trace(D G D^T), exactly.
//
// With a second, original stream X* beside it also the cross matrix X^T X* [K,K] and, for linears that write the
// residual stream, R = (h* - h)^T X [d,K].
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::calibration {

struct StatisticsShape {
  int64_t inputs = 0;  // widest K
  bool two_streams = false;
  int64_t residual_width = 0;  // d; two streams only
};

// One thread at a time. The device must outlive it.
class StageStatistics {
 public:
  static uint64_t device_bytes(const StatisticsShape& shape);
  static Result<StageStatistics> create(backend::Device& device, const StatisticsShape& shape);

  // Starts over, for a stage of `inputs` <= the width it was created for.
  Status reset(int64_t inputs);
  Status add(const backend::Matrix& x, backend::Precision precision);
  // Of the same tokens as x: the original stream's inputs, and h* - h when the stage writes the residual stream (else a
  // matrix without a buffer). REQUIRES: two_streams.
  Status add_original(const backend::Matrix& x, const backend::Matrix& x_original, const backend::Matrix& residual,
                      backend::Precision precision);
  // Completes G's lower triangle and fetches the vectors. kNonFinite, with the count of bad columns and `where` in the
  // message, when any statistic is NaN or infinite; kInternal when nothing was added or X was all zero (a calibration
  // that never ran must not pass for one that did).
  Status finish(std::string_view where);

  // After finish():
  backend::Matrix gram() const;      // [K,K], both triangles
  backend::Matrix cross() const;     // X^T X* [K,K]
  backend::Matrix residual() const;  // R [d,K], or without a buffer
  bool has_original() const { return original_tokens_ == tokens_; }
  bool has_residual() const { return residual_tokens_ == tokens_; }
  std::span<const float> mean_abs() const { return mean_abs_; }        // [K]
  std::span<const float> mean() const { return mean_; }                // [K], signed
  std::span<const float> mean_square() const { return mean_square_; }  // [K]
  uint64_t tokens() const { return tokens_; }

 private:
  explicit StageStatistics(backend::Device& device) : device_(&device) {}
  backend::Vector vector(int64_t index) const;

  backend::Device* device_;
  StatisticsShape shape_;
  std::unique_ptr<backend::Buffer> gram_;
  std::unique_ptr<backend::Buffer> cross_;
  std::unique_ptr<backend::Buffer> residual_;
  std::unique_ptr<backend::Buffer> sums_;  // sum |x|, sum x, then the Gram's diagonal, [K] each
  int64_t inputs_ = 0;
  uint64_t tokens_ = 0;
  uint64_t original_tokens_ = 0;
  uint64_t residual_tokens_ = 0;
  std::vector<float> mean_abs_;
  std::vector<float> mean_;
  std::vector<float> mean_square_;
};

}  // namespace scrooge::calibration
