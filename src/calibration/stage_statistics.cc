// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/stage_statistics.h"

#include <cmath>

namespace scrooge::calibration {

using backend::Matrix;
using backend::Vector;

namespace {
uint64_t gram_bytes(int64_t inputs) { return static_cast<uint64_t>(inputs * inputs) * sizeof(float); }
}  // namespace

uint64_t StageStatistics::device_bytes(int64_t inputs) {
  return gram_bytes(inputs) + static_cast<uint64_t>(2 * inputs) * sizeof(float);
}

Result<StageStatistics> StageStatistics::create(backend::Device& device, int64_t inputs) {
  StageStatistics statistics(device);
  SCROOGE_ASSIGN_OR_RETURN(statistics.gram_, device.allocate(gram_bytes(inputs), "Gram matrix"));
  SCROOGE_ASSIGN_OR_RETURN(statistics.sums_,
                           device.allocate(static_cast<uint64_t>(2 * inputs) * sizeof(float), "column sums"));
  statistics.inputs_ = inputs;
  return statistics;
}

Matrix StageStatistics::gram() const { return {gram_.get(), 0, inputs_, inputs_, inputs_, DType::kF32}; }

Status StageStatistics::reset(int64_t inputs) {
  if (gram_bytes(inputs) > gram_->size()) return error(StatusCode::kInternal, "statistics: stage wider than planned");
  inputs_ = inputs;
  tokens_ = 0;
  SCROOGE_RETURN_IF_ERROR(device_->fill_zero(*gram_, 0, gram_bytes(inputs)));
  return device_->fill_zero(*sums_, 0, static_cast<uint64_t>(inputs) * sizeof(float));
}

Status StageStatistics::add(const Matrix& x, backend::Precision precision) {
  tokens_ += static_cast<uint64_t>(x.rows);
  SCROOGE_RETURN_IF_ERROR(device_->column_stats({x, {sums_.get(), 0, inputs_, DType::kF32}, {}, {}}));
  return device_->gram_accumulate({x, x, gram(), true, false, precision});
}

Status StageStatistics::finish(std::string_view where) {
  if (tokens_ == 0) return error(StatusCode::kInternal, where, ": no calibration tokens reached this stage");
  // An empty accumulation mirrors the upper triangle that add() built.
  const Matrix none{gram_.get(), 0, 0, inputs_, inputs_, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(device_->gram_accumulate({none, none, gram(), true, true, backend::Precision::kExact}));
  // The diagonal as a column of its own: a view whose stride steps one row and one column at a time.
  const Matrix diagonal{gram_.get(), 0, inputs_, 1, inputs_ + 1, DType::kF32};
  const uint64_t vector_bytes = static_cast<uint64_t>(inputs_) * sizeof(float);
  SCROOGE_RETURN_IF_ERROR(device_->convert({diagonal, {sums_.get(), vector_bytes, inputs_, 1, 1, DType::kF32}}));
  mean_abs_.resize(static_cast<size_t>(inputs_));
  mean_square_.resize(static_cast<size_t>(inputs_));
  SCROOGE_RETURN_IF_ERROR(device_->download(*sums_, 0, std::as_writable_bytes(std::span(mean_abs_))));
  SCROOGE_RETURN_IF_ERROR(device_->download(*sums_, vector_bytes, std::as_writable_bytes(std::span(mean_square_))));
  const auto count = static_cast<float>(tokens_);
  int64_t bad = 0;
  bool any = false;
  for (int64_t k = 0; k < inputs_; ++k) {
    const auto at = static_cast<size_t>(k);
    mean_abs_[at] /= count;
    mean_square_[at] /= count;
    if (!std::isfinite(mean_abs_[at]) || !std::isfinite(mean_square_[at])) ++bad;
    any = any || mean_abs_[at] > 0;
  }
  if (bad > 0) {
    return error(StatusCode::kNonFinite, where, ": the calibration inputs hold NaN or infinity in ", bad, " of ",
                 inputs_, " channels; the checkpoint is damaged or overflows on this text");
  }
  if (!any) return error(StatusCode::kInternal, where, ": the calibration inputs are all zero");
  return {};
}

double StageStatistics::energy() const {
  double sum = 0;
  for (const float value : mean_square_) sum += value;
  return sum * static_cast<double>(tokens_);
}

}  // namespace scrooge::calibration
