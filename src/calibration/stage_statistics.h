// SPDX-License-Identifier: Apache-2.0
// What is kept of a stage's inputs X[T,K]: the Gram matrix G = X^T X, the column sums of |x| and x, and the token
// count; plain sums, taken in chunks of fixed size. Everything the search needs follows from these and the weights: the
// loss of a candidate with D = W' - W is trace(D G D^T), exactly.
//
// With a second, original stream X* beside it also what the stage's outputs should change by, as a sum over tokens, in
// one of two forms: E^T X [N,K], E = (X* - X) W^T + (h* - h), for a stage of one linear that writes the residual
// stream; X^T (X* - X) [K,K] for a stage whose several linears share it. The differences are taken token by token:
// between two sums of bf16 products the difference would drown in their rounding.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::calibration {

// What is gathered at once: a room that is too small for both matrices takes one after the other, each in a pass of its
// own over the tokens.
enum class StatisticsPart { kAll, kGram, kCorrection };

struct StatisticsShape {
  int64_t inputs = 0;      // widest K
  int64_t correction = 0;  // floats of the largest correction matrix; 0: one stream
};

// One thread at a time. The device must outlive it.
class StageStatistics {
 public:
  static uint64_t device_bytes(const StatisticsShape& shape);
  static Result<StageStatistics> create(backend::Device& device, const StatisticsShape& shape);
  // With the matrices at the beginning of a buffer of someone else's, laid out anew for every stage: G, the correction,
  // and from free_offset() on what others may use. shared_bytes(): up to there.
  static Result<StageStatistics> create(backend::Device& device, const StatisticsShape& shape, backend::Buffer& shared);
  static uint64_t own_bytes(const StatisticsShape& shape) { return float_bytes(3 * shape.inputs); }
  static uint64_t shared_bytes(int64_t inputs, int64_t correction_rows, bool one_by_one = false);

  // Starts over, for a stage of `inputs` <= the width it was created for. `outputs`: N when the correction is to be
  // held by output, 0 when by input. With kCorrection what a pass with kGram found stays, but for the Gram matrix.
  Status reset(int64_t inputs, int64_t outputs = 0, StatisticsPart part = StatisticsPart::kAll);
  Status add(const backend::Matrix& x, backend::Precision precision);
  // Of the same tokens as x: X* - X [T,K], or E [T,N] where the correction is held by output. REQUIRES: a correction.
  Status add_error(const backend::Matrix& x, const backend::Matrix& error, backend::Precision precision);
  // Completes G's lower triangle and fetches the vectors. kNonFinite, with the count of bad columns and `where` in the
  // message, when any statistic is NaN or infinite; kInternal when nothing was added or X was all zero (a calibration
  // that never ran must not pass for one that did).
  Status finish(std::string_view where);

  // After finish():
  backend::Matrix gram() const;  // [K,K], both triangles; only its place where it is not held
  bool holds_gram() const { return part_ != StatisticsPart::kCorrection; }
  // X^T (X* - X) [K,K], or E^T X [N,K] where held by output. REQUIRES: has_original().
  backend::Matrix correction() const;
  bool by_output() const { return outputs_ > 0; }
  // Of the shared buffer; 0 without one.
  uint64_t free_offset() const;
  bool has_original() const { return original_tokens_ == tokens_; }
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
  std::unique_ptr<backend::Buffer> correction_;
  backend::Buffer* shared_ = nullptr;      // instead of both
  std::unique_ptr<backend::Buffer> sums_;  // sum |x|, sum x, then the Gram's diagonal, [K] each
  int64_t inputs_ = 0;
  int64_t outputs_ = 0;
  StatisticsPart part_ = StatisticsPart::kAll;
  uint64_t tokens_ = 0;
  uint64_t original_tokens_ = 0;
  std::vector<float> mean_abs_;
  std::vector<float> mean_;
  std::vector<float> mean_square_;
};

}  // namespace scrooge::calibration
