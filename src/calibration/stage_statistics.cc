// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/stage_statistics.h"

#include <algorithm>
#include <cmath>

namespace scrooge::calibration {

using backend::Matrix;
using backend::Precision;
using backend::Vector;

namespace {

// On a boundary that suits any vector unit.
uint64_t padded(uint64_t bytes) { return (bytes + 255) / 256 * 256; }

}  // namespace

uint64_t StageStatistics::device_bytes(const StatisticsShape& shape) {
  const int64_t k = shape.inputs;
  return float_bytes(k * k + 3 * k + shape.correction);
}

Result<StageStatistics> StageStatistics::create(backend::Device& device, const StatisticsShape& shape) {
  const int64_t k = shape.inputs;
  StageStatistics statistics(device);
  statistics.shape_ = shape;
  statistics.inputs_ = k;
  SCROOGE_ASSIGN_OR_RETURN(statistics.gram_, device.allocate(float_bytes(k * k), "Gram matrix"));
  SCROOGE_ASSIGN_OR_RETURN(statistics.sums_, device.allocate(float_bytes(3 * k), "column sums"));
  if (shape.correction > 0) {
    SCROOGE_ASSIGN_OR_RETURN(statistics.correction_,
                             device.allocate(float_bytes(shape.correction), "correction matrix"));
  }
  return statistics;
}

uint64_t StageStatistics::shared_bytes(int64_t inputs, int64_t correction_rows, bool one_by_one) {
  const uint64_t gram = padded(float_bytes(inputs * inputs));
  const uint64_t correction = padded(float_bytes(correction_rows * inputs));
  return one_by_one ? std::max(gram, correction) : gram + correction;
}

Result<StageStatistics> StageStatistics::create(backend::Device& device, const StatisticsShape& shape,
                                                backend::Buffer& shared) {
  StageStatistics statistics(device);
  statistics.shape_ = shape;
  statistics.inputs_ = shape.inputs;
  statistics.shared_ = &shared;
  SCROOGE_ASSIGN_OR_RETURN(statistics.sums_, device.allocate(own_bytes(shape), "column sums"));
  return statistics;
}

Matrix StageStatistics::gram() const {
  return {shared_ != nullptr ? shared_ : gram_.get(), 0, inputs_, inputs_, inputs_, DType::kF32};
}

Matrix StageStatistics::correction() const {
  const int64_t rows = outputs_ > 0 ? outputs_ : inputs_;
  if (shared_ == nullptr) return {correction_.get(), 0, rows, inputs_, inputs_, DType::kF32};
  return {shared_, holds_gram() ? shared_bytes(inputs_, 0) : 0, rows, inputs_, inputs_, DType::kF32};
}

uint64_t StageStatistics::free_offset() const {
  if (shared_ == nullptr) return 0;
  return shared_bytes(inputs_, shape_.correction > 0 ? correction().rows : 0, part_ != StatisticsPart::kAll);
}

Vector StageStatistics::vector(int64_t index) const {
  return {sums_.get(), float_bytes(index * inputs_), inputs_, DType::kF32};
}

Status StageStatistics::reset(int64_t inputs, int64_t outputs, StatisticsPart part) {
  const int64_t correction = (outputs > 0 ? outputs : inputs) * inputs;
  if (inputs > shape_.inputs || (shape_.correction > 0 && correction > shape_.correction)) {
    return error(StatusCode::kInternal, "statistics: stage wider than planned");
  }
  inputs_ = inputs;
  outputs_ = outputs;
  part_ = part;
  original_tokens_ = 0;
  if (shape_.correction > 0 && part != StatisticsPart::kGram) {
    const Matrix to = this->correction();
    SCROOGE_RETURN_IF_ERROR(device_->fill_zero(*to.buffer, to.offset, float_bytes(correction)));
  }
  if (!holds_gram()) return {};
  tokens_ = 0;
  SCROOGE_RETURN_IF_ERROR(device_->fill_zero(*gram().buffer, gram().offset, float_bytes(inputs * inputs)));
  return device_->fill_zero(*sums_, 0, float_bytes(3 * inputs));
}

Status StageStatistics::add(const Matrix& x, Precision precision) {
  tokens_ += static_cast<uint64_t>(x.rows);
  SCROOGE_RETURN_IF_ERROR(device_->column_stats({x, vector(0), vector(1), {}}));
  return device_->gram_accumulate({x, x, gram(), true, false, precision});
}

Status StageStatistics::add_error(const Matrix& x, const Matrix& error, Precision precision) {
  original_tokens_ += static_cast<uint64_t>(x.rows);
  const Matrix& from = by_output() ? error : x;
  return device_->gram_accumulate({from, by_output() ? x : error, correction(), false, false, precision});
}

Status StageStatistics::finish(std::string_view where) {
  if (tokens_ == 0) return error(StatusCode::kInternal, where, ": no calibration tokens reached this stage");
  if (!holds_gram()) return {};
  // An empty accumulation mirrors the upper triangle that add() built.
  const Matrix none = gram().row_range(0, 0);
  SCROOGE_RETURN_IF_ERROR(device_->gram_accumulate({none, none, gram(), true, true, Precision::kExact}));
  // The diagonal as a column of its own: a view whose stride steps one row and one column at a time.
  const Matrix diagonal{gram().buffer, gram().offset, inputs_, 1, inputs_ + 1, DType::kF32};
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
