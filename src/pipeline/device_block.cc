// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/device_block.h"

#include <algorithm>

namespace scrooge::pipeline {

using backend::Matrix;

namespace {

// Every tensor starts on a boundary that suits any vector unit.
uint64_t padded(int64_t floats) { return (static_cast<uint64_t>(floats) * sizeof(float) + 255) / 256 * 256; }

}  // namespace

uint64_t DeviceBlock::device_bytes(const model::BlockPlan& plan, const model::ModelConfig& config) {
  uint64_t bytes = padded(config.width) * model::kNormCount;
  for (const model::LinearPlan& linear : plan.linears) {
    bytes += padded(linear.rows * linear.cols) + (linear.bias ? padded(linear.rows) : 0);
  }
  return bytes;
}

Result<DeviceBlock> DeviceBlock::create(backend::Device& device, const model::BlockPlan& plan,
                                        const model::ModelConfig& config, std::string_view purpose) {
  DeviceBlock block;
  block.device_ = &device;
  block.plan_ = &plan;
  SCROOGE_ASSIGN_OR_RETURN(block.buffer_, device.allocate(device_bytes(plan, config), purpose));
  backend::Buffer* const buffer = block.buffer_.get();
  uint64_t offset = 0;
  for (size_t i = 0; i < plan.linears.size(); ++i) {
    const model::LinearPlan& linear = plan.linears[i];
    block.weights_.linears[i] = {buffer, offset, linear.rows, linear.cols, linear.cols, DType::kF32};
    offset += padded(linear.rows * linear.cols);
    if (linear.bias) {
      block.weights_.biases[i] = {buffer, offset, linear.rows, DType::kF32};
      offset += padded(linear.rows);
    }
  }
  for (backend::Vector& norm : block.weights_.norms) {
    norm = {buffer, offset, config.width, DType::kF32};
    offset += padded(config.width);
  }
  return block;
}

Status DeviceBlock::load_tensor(const ModelSource& source, const std::string& name, Matrix to) {
  constexpr int64_t kStagingFloats = 1 << 18;
  const int64_t tile = std::clamp<int64_t>(kStagingFloats / to.cols, 1, to.rows);
  std::vector<float> staging;
  for (int64_t first = 0; first < to.rows; first += tile) {
    const int64_t count = std::min(tile, to.rows - first);
    const uint64_t offset = to.offset + static_cast<uint64_t>(first * to.cols) * sizeof(float);
    if (std::byte* const memory = to.buffer->host_data()) {
      const std::span out(reinterpret_cast<float*>(memory + offset), static_cast<size_t>(count * to.cols));
      SCROOGE_RETURN_IF_ERROR(source.read_rows(name, first, count, out));
    } else {
      staging.resize(static_cast<size_t>(count * to.cols));
      SCROOGE_RETURN_IF_ERROR(source.read_rows(name, first, count, staging));
      SCROOGE_RETURN_IF_ERROR(device_->upload(*to.buffer, offset, std::as_bytes(std::span(staging))));
    }
  }
  source.drop(name);
  double bad = 0;
  SCROOGE_RETURN_IF_ERROR(device_->reduce({to, {}, backend::ReduceParams::Kind::kCountNonFinite, &bad}));
  if (bad > 0) return source.non_finite(name, static_cast<uint64_t>(bad), static_cast<uint64_t>(to.rows * to.cols));
  return {};
}

Status DeviceBlock::load(const ModelSource& source, int64_t block) {
  const std::string prefix = model::block_prefix(block);
  const auto as_row = [](const backend::Vector& vector) {
    return Matrix{vector.buffer, vector.offset, 1, vector.size, vector.size, vector.dtype};
  };
  for (size_t i = 0; i < plan_->linears.size(); ++i) {
    const model::LinearPlan& linear = plan_->linears[i];
    SCROOGE_RETURN_IF_ERROR(load_tensor(source, concat(prefix, linear.name, ".weight"), weights_.linears[i]));
    if (linear.bias) {
      SCROOGE_RETURN_IF_ERROR(load_tensor(source, concat(prefix, linear.name, ".bias"), as_row(weights_.biases[i])));
    }
  }
  for (size_t i = 0; i < plan_->norms.size(); ++i) {
    SCROOGE_RETURN_IF_ERROR(load_tensor(source, concat(prefix, plan_->norms[i], ".weight"), as_row(weights_.norms[i])));
  }
  return source.check_unchanged();
}

void prefetch_block(const ModelSource& source, int64_t block) {
  if (block >= source.config().blocks) return;
  for (const std::string& name : block_tensor_names(source.block_plan(), block)) source.prefetch(name);
}

}  // namespace scrooge::pipeline
