// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/stage_statistics.h"

#include <cmath>

namespace scrooge::calibration {

using backend::Matrix;
using backend::Precision;
using backend::Vector;

uint64_t StageStatistics::device_bytes(const StatisticsShape& shape) {
  const int64_t k = shape.inputs;
  return float_bytes(k * k + 3 * k) + (shape.two_streams ? float_bytes(k * k + shape.residual_width * k) : 0);
}

Result<StageStatistics> StageStatistics::create(backend::Device& device, const StatisticsShape& shape) {
  const int64_t k = shape.inputs;
  StageStatistics statistics(device);
  statistics.shape_ = shape;
  statistics.inputs_ = k;
  SCROOGE_ASSIGN_OR_RETURN(statistics.gram_, device.allocate(float_bytes(k * k), "Gram matrix"));
  SCROOGE_ASSIGN_OR_RETURN(statistics.sums_, device.allocate(float_bytes(3 * k), "column sums"));
  if (shape.two_streams) {
    SCROOGE_ASSIGN_OR_RETURN(statistics.cross_, device.allocate(float_bytes(k * k), "cross matrix"));
    if (shape.residual_width > 0) {
      SCROOGE_ASSIGN_OR_RETURN(statistics.residual_,
                               device.allocate(float_bytes(shape.residual_width * k), "residual matrix"));
    }
  }
  return statistics;
}

Matrix StageStatistics::gram() const { return {gram_.get(), 0, inputs_, inputs_, inputs_, DType::kF32}; }

Matrix StageStatistics::cross() const { return {cross_.get(), 0, inputs_, inputs_, inputs_, DType::kF32}; }

Matrix StageStatistics::residual() const {
  return {residual_.get(), 0, shape_.residual_width, inputs_, inputs_, DType::kF32};
}

Vector StageStatistics::vector(int64_t index) const {
  return {sums_.get(), float_bytes(index * inputs_), inputs_, DType::kF32};
}

Status StageStatistics::reset(int64_t inputs) {
  if (inputs > shape_.inputs) return error(StatusCode::kInternal, "statistics: stage wider than planned");
  inputs_ = inputs;
  tokens_ = original_tokens_ = residual_tokens_ = 0;
  SCROOGE_RETURN_IF_ERROR(device_->fill_zero(*gram_, 0, float_bytes(inputs * inputs)));
  if (cross_) SCROOGE_RETURN_IF_ERROR(device_->fill_zero(*cross_, 0, float_bytes(inputs * inputs)));
  if (residual_) {
    SCROOGE_RETURN_IF_ERROR(device_->fill_zero(*residual_, 0, float_bytes(shape_.residual_width * inputs)));
  }
  return device_->fill_zero(*sums_, 0, float_bytes(3 * inputs));
}

Status StageStatistics::add(const Matrix& x, Precision precision) {
  tokens_ += static_cast<uint64_t>(x.rows);
  SCROOGE_RETURN_IF_ERROR(device_->column_stats({x, vector(0), vector(1), {}}));
  return device_->gram_accumulate({x, x, gram(), true, false, precision});
}

Status StageStatistics::add_original(const Matrix& x, const Matrix& x_original, const Matrix& residual,
                                     Precision precision) {
  original_tokens_ += static_cast<uint64_t>(x.rows);
  SCROOGE_RETURN_IF_ERROR(device_->gram_accumulate({x, x_original, cross(), false, false, precision}));
  if (residual.buffer == nullptr) return {};
  residual_tokens_ += static_cast<uint64_t>(x.rows);
  return device_->gram_accumulate({residual, x, this->residual(), false, false, precision});
}

Status StageStatistics::finish(std::string_view where) {
  if (tokens_ == 0) return error(StatusCode::kInternal, where, ": no calibration tokens reached this stage");
  // An empty accumulation mirrors the upper triangle that add() built.
  const Matrix none{gram_.get(), 0, 0, inputs_, inputs_, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(device_->gram_accumulate({none, none, gram(), true, true, Precision::kExact}));
  // The diagonal as a column of its own: a view whose stride steps one row and one column at a time.
  const Matrix diagonal{gram_.get(), 0, inputs_, 1, inputs_ + 1, DType::kF32};
  const Vector last = vector(2);
  SCROOGE_RETURN_IF_ERROR(device_->convert({diagonal, {last.buffer, last.offset, inputs_, 1, 1, DType::kF32}}));
  int64_t index = 0;
  for (std::vector<float>* mean : {&mean_abs_, &mean_, &mean_square_}) {
    mean->resize(static_cast<size_t>(inputs_));
    SCROOGE_RETURN_IF_ERROR(
        device_->download(*sums_, vector(index++).offset, std::as_writable_bytes(std::span(*mean))));
    for (float& value : *mean) value /= static_cast<float>(tokens_);
  }
  int64_t bad = 0;
  bool any = false;
  for (size_t k = 0; k < mean_abs_.size(); ++k) {
    if (!std::isfinite(mean_abs_[k]) || !std::isfinite(mean_square_[k])) ++bad;
    any = any || mean_abs_[k] > 0;
  }
  if (bad > 0) {
    return error(StatusCode::kNonFinite, where, ": the calibration inputs hold NaN or infinity in ", bad, " of ",
                 inputs_, " channels; the checkpoint is damaged or overflows on this text");
  }
  if (!any) return error(StatusCode::kInternal, where, ": the calibration inputs are all zero");
  return {};
}

}  // namespace scrooge::calibration
