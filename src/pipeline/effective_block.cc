// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/effective_block.h"

#include <vector>

namespace scrooge::pipeline {

using backend::Matrix;
using backend::ScaleAxisParams;
using backend::Vector;

namespace {

uint64_t padded(int64_t floats) { return (float_bytes(floats) + 255) / 256 * 256; }

}  // namespace

class EffectiveBlock::CodedWeight final : public model::WeightRows {
 public:
  CodedWeight(backend::Device& device, backend::Buffer& room, const Vector& inverse_scale, int64_t rows)
      : WeightRows(rows, inverse_scale.size), device_(device), room_(room), inverse_scale_(inverse_scale) {}

  // An empty s: no scale to undo.
  Status set(const awq::QuantizedLinear& quantized, std::span<const float> s) {
    quantized_ = &quantized;
    scaled_ = !s.empty();
    if (!scaled_) return {};
    std::vector<float> inverse(s.begin(), s.end());
    for (float& value : inverse) value = 1.0f / value;
    return device_.upload(*inverse_scale_.buffer, inverse_scale_.offset, std::as_bytes(std::span(inverse)));
  }

  Result<Matrix> load(int64_t first, int64_t count) override {
    const Matrix tile{&room_, 0, count, cols(), cols(), DType::kF32};
    SCROOGE_RETURN_IF_ERROR(make(first, tile));
    return tile;
  }
  // Rows from `first` on into `to`.
  Status make(int64_t first, const Matrix& to) {
    const awq::QuantizedView part = quantized_->rows_from(first, to.rows);
    SCROOGE_RETURN_IF_ERROR(device_.dequantize({part.codes, part.scales, part.zeros, to, quantized_->spec}));
    if (!scaled_) return {};
    return device_.scale_axis({to, to, inverse_scale_, ScaleAxisParams::Axis::kColumns});
  }

 private:
  backend::Device& device_;
  backend::Buffer& room_;
  const Vector inverse_scale_;
  const awq::QuantizedLinear* quantized_ = nullptr;
  bool scaled_ = false;
};

EffectiveBlock::EffectiveBlock() = default;
EffectiveBlock::EffectiveBlock(EffectiveBlock&&) noexcept = default;
EffectiveBlock& EffectiveBlock::operator=(EffectiveBlock&&) noexcept = default;
EffectiveBlock::~EffectiveBlock() = default;

uint64_t EffectiveBlock::device_bytes(const model::BlockPlan& plan, bool resident) {
  uint64_t bytes = 0;
  for (const model::LinearPlan& linear : plan.linears) {
    bytes += padded(linear.cols) + (resident ? padded(linear.rows * linear.cols) : 0);
  }
  return bytes;
}

Result<EffectiveBlock> EffectiveBlock::create(backend::Device& device, const model::BlockPlan& plan, bool resident,
                                              backend::Buffer& tile_room) {
  EffectiveBlock block;
  block.device_ = &device;
  block.resident_ = resident;
  const uint64_t scale_bytes = device_bytes(plan, false);
  SCROOGE_ASSIGN_OR_RETURN(block.scales_, device.allocate(scale_bytes, "scales of a block"));
  if (resident) {
    SCROOGE_ASSIGN_OR_RETURN(block.weights_,
                             device.allocate(device_bytes(plan, true) - scale_bytes, "quantized weights of a block"));
  }
  uint64_t scale_offset = 0;
  uint64_t weight_offset = 0;
  for (size_t i = 0; i < plan.linears.size(); ++i) {
    const model::LinearPlan& linear = plan.linears[i];
    const Vector scale{block.scales_.get(), scale_offset, linear.cols, DType::kF32};
    scale_offset += padded(linear.cols);
    block.coded_[i] = std::make_unique<CodedWeight>(device, tile_room, scale, linear.rows);
    if (!resident) continue;
    const Matrix w{block.weights_.get(), weight_offset, linear.rows, linear.cols, linear.cols, DType::kF32};
    weight_offset += padded(linear.rows * linear.cols);
    block.dense_[i] = std::make_unique<model::ResidentWeight>(w);
  }
  return block;
}

Status EffectiveBlock::set(model::LinearRole role, const awq::QuantizedLinear& quantized, std::span<const float> s) {
  const auto i = static_cast<size_t>(role);
  folded_[i] = false;
  SCROOGE_RETURN_IF_ERROR(coded_[i]->set(quantized, s));
  return resident_ ? coded_[i]->make(0, dense_[i]->matrix()) : Status();
}

Status EffectiveBlock::set_folded(model::LinearRole role, const awq::QuantizedLinear& quantized) {
  const auto i = static_cast<size_t>(role);
  folded_[i] = true;
  return coded_[i]->set(quantized, {});
}

model::WeightRows& EffectiveBlock::linear(model::LinearRole role) const {
  const auto i = static_cast<size_t>(role);
  if (resident_ && !folded_[i]) return *dense_[i];
  return *coded_[i];
}

std::array<model::WeightRows*, model::kLinearCount> EffectiveBlock::linears() const {
  std::array<model::WeightRows*, model::kLinearCount> result{};
  for (size_t i = 0; i < result.size(); ++i) result[i] = &linear(static_cast<model::LinearRole>(i));
  return result;
}

}  // namespace scrooge::pipeline
