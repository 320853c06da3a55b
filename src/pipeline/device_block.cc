// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/device_block.h"

#include <algorithm>

namespace scrooge::pipeline {

using backend::Matrix;

Status read_rows_to(backend::Device& device, const ModelSource& source, const std::string& name, int64_t first,
                    const Matrix& to) {
  constexpr int64_t kStagingFloats = 1 << 18;
  const int64_t tile = std::clamp<int64_t>(kStagingFloats / to.cols, 1, std::max<int64_t>(to.rows, 1));
  std::vector<float> staging;
  for (int64_t row = 0; row < to.rows; row += tile) {
    const int64_t count = std::min(tile, to.rows - row);
    const uint64_t offset = to.offset + float_bytes(row * to.cols);
    if (std::byte* const memory = to.buffer->host_data()) {
      const std::span out(reinterpret_cast<float*>(memory + offset), static_cast<size_t>(count * to.cols));
      SCROOGE_RETURN_IF_ERROR(source.read_rows(name, first + row, count, out));
    } else {
      staging.resize(static_cast<size_t>(count * to.cols));
      SCROOGE_RETURN_IF_ERROR(source.read_rows(name, first + row, count, staging));
      SCROOGE_RETURN_IF_ERROR(device.upload(*to.buffer, offset, std::as_bytes(std::span(staging))));
    }
  }
  return {};
}

namespace {

// Every tensor starts on a boundary that suits any vector unit.
uint64_t padded(int64_t floats) { return (float_bytes(floats) + 255) / 256 * 256; }

Result<uint64_t> count_non_finite(backend::Device& device, const Matrix& values) {
  double bad = 0;
  SCROOGE_RETURN_IF_ERROR(device.reduce({values, {}, backend::ReduceParams::Kind::kCountNonFinite, &bad}));
  SCROOGE_RETURN_IF_ERROR(device.synchronize());
  return static_cast<uint64_t>(bad);
}

Status load_tensor(backend::Device& device, const ModelSource& source, const std::string& name, const Matrix& to) {
  SCROOGE_RETURN_IF_ERROR(read_rows_to(device, source, name, 0, to));
  source.drop(name);
  SCROOGE_ASSIGN_OR_RETURN(const uint64_t bad, count_non_finite(device, to));
  if (bad > 0) return source.non_finite(name, bad, static_cast<uint64_t>(to.rows * to.cols));
  return {};
}

}  // namespace

class SourceWeight final : public model::WeightRows {
 public:
  SourceWeight(backend::Device& device, backend::Buffer& room, int64_t rows, int64_t cols)
      : WeightRows(rows, cols), device_(device), room_(room) {}

  void begin(const ModelSource& source, std::string name) {
    if (source_ != nullptr) source_->drop(name_);
    source_ = &source;
    name_ = std::move(name);
    checked_ = 0;
  }

  // Every row is checked the first time it is read.
  Result<Matrix> load(int64_t first, int64_t count) override {
    const Matrix tile{&room_, 0, count, cols(), cols(), DType::kF32};
    SCROOGE_RETURN_IF_ERROR(read_rows_to(device_, *source_, name_, first, tile));
    if (first + count > checked_) {
      SCROOGE_ASSIGN_OR_RETURN(const uint64_t bad, count_non_finite(device_, tile));
      if (bad > 0) return source_->non_finite(name_, bad, static_cast<uint64_t>(count * cols()));
      checked_ = first + count;
    }
    return tile;
  }

 private:
  backend::Device& device_;
  backend::Buffer& room_;
  const ModelSource* source_ = nullptr;
  std::string name_;
  int64_t checked_ = 0;
};

DeviceBlock::DeviceBlock() = default;
DeviceBlock::DeviceBlock(DeviceBlock&&) noexcept = default;
DeviceBlock& DeviceBlock::operator=(DeviceBlock&&) noexcept = default;
DeviceBlock::~DeviceBlock() = default;

uint64_t tile_room_bytes(const model::BlockPlan& plan) {
  int64_t floats = 0;
  for (const model::LinearPlan& linear : plan.linears) {
    floats = std::max(floats, model::tile_rows(linear.rows, linear.cols) * linear.cols);
  }
  return float_bytes(floats);
}

uint64_t DeviceBlock::device_bytes(const model::BlockPlan& plan, const model::ModelConfig& config, bool resident) {
  uint64_t bytes = padded(config.width) * model::kNormCount;
  for (const model::LinearPlan& linear : plan.linears) {
    bytes += (resident ? padded(linear.rows * linear.cols) : 0) + (linear.bias ? padded(linear.rows) : 0);
  }
  return bytes;
}

Result<DeviceBlock> DeviceBlock::create(backend::Device& device, const model::BlockPlan& plan,
                                        const model::ModelConfig& config, std::string_view purpose,
                                        backend::Buffer* tile_room) {
  DeviceBlock block;
  block.device_ = &device;
  block.plan_ = &plan;
  const bool resident = tile_room == nullptr;
  SCROOGE_ASSIGN_OR_RETURN(block.buffer_, device.allocate(device_bytes(plan, config, resident), purpose));
  backend::Buffer* const buffer = block.buffer_.get();
  uint64_t offset = 0;
  for (size_t i = 0; i < plan.linears.size(); ++i) {
    const model::LinearPlan& linear = plan.linears[i];
    if (resident) {
      const Matrix w{buffer, offset, linear.rows, linear.cols, linear.cols, DType::kF32};
      block.resident_[i] = std::make_unique<model::ResidentWeight>(w);
      block.weights_.linears[i] = block.resident_[i].get();
      offset += padded(linear.rows * linear.cols);
    } else {
      block.streamed_[i] = std::make_unique<SourceWeight>(device, *tile_room, linear.rows, linear.cols);
      block.weights_.linears[i] = block.streamed_[i].get();
    }
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

Status DeviceBlock::load_linears(const ModelSource& source, const std::string& prefix) {
  for (size_t i = 0; i < plan_->linears.size(); ++i) {
    std::string name = concat(prefix, plan_->linears[i].name, ".weight");
    if (streamed_[i]) {
      streamed_[i]->begin(source, std::move(name));
    } else {
      SCROOGE_RETURN_IF_ERROR(load_tensor(*device_, source, name, resident_[i]->matrix()));
    }
  }
  return {};
}

Status DeviceBlock::load(const ModelSource& source, int64_t block) {
  const std::string prefix = model::block_prefix(block);
  const auto as_row = [](const backend::Vector& vector) {
    return Matrix{vector.buffer, vector.offset, 1, vector.size, vector.size, vector.dtype};
  };
  SCROOGE_RETURN_IF_ERROR(load_linears(source, prefix));
  for (size_t i = 0; i < plan_->linears.size(); ++i) {
    if (!plan_->linears[i].bias) continue;
    const std::string name = concat(prefix, plan_->linears[i].name, ".bias");
    SCROOGE_RETURN_IF_ERROR(load_tensor(*device_, source, name, as_row(weights_.biases[i])));
  }
  for (size_t i = 0; i < plan_->norms.size(); ++i) {
    const std::string name = concat(prefix, plan_->norms[i], ".weight");
    SCROOGE_RETURN_IF_ERROR(load_tensor(*device_, source, name, as_row(weights_.norms[i])));
  }
  return source.check_unchanged();
}

void prefetch_block(const ModelSource& source, int64_t block) {
  if (block >= source.config().blocks) return;
  for (const std::string& name : block_tensor_names(source.block_plan(), block)) source.prefetch(name);
}

}  // namespace scrooge::pipeline
