// SPDX-License-Identifier: Apache-2.0
// The weights of one decoder block as the checkpoint has them: in device memory as a whole, or read tile by tile each
// time they are used. Loaded block after block into the same buffers.
#pragma once

#include <array>
#include <memory>

#include "src/model/block_forward.h"
#include "src/pipeline/model_source.h"

namespace scrooge::pipeline {

// Device bytes of one tile of the block's widest linear: what all weights of a block that are made tile by tile share.
uint64_t tile_room_bytes(const model::BlockPlan& plan);

// Rows of a tensor from `first` on, as f32, into a matrix without gaps, through little memory of the host.
Status read_rows_to(backend::Device& device, const ModelSource& source, const std::string& name, int64_t first,
                    const backend::Matrix& to);

// Linears that are read when they are asked for. A tile's room is the caller's, of tile_room_bytes().
class SourceWeight;

// One thread at a time. The device must outlive it.
class DeviceBlock {
 public:
  static uint64_t device_bytes(const model::BlockPlan& plan, const model::ModelConfig& config, bool resident = true);
  // `tile_room`: null when the linears are to be resident; else where their tiles are made, at its beginning.
  static Result<DeviceBlock> create(backend::Device& device, const model::BlockPlan& plan,
                                    const model::ModelConfig& config, std::string_view purpose,
                                    backend::Buffer* tile_room = nullptr);
  DeviceBlock();
  DeviceBlock(DeviceBlock&& other) noexcept;
  DeviceBlock& operator=(DeviceBlock&& other) noexcept;
  ~DeviceBlock();

  // Reads the block as f32 and drops its pages behind; linears that are not resident are read later, from the same
  // source. kNonFinite names tensor and count.
  Status load(const ModelSource& source, int64_t block);
  const model::BlockWeights& weights() const { return weights_; }

 private:
  Status load_linears(const ModelSource& source, const std::string& prefix);

  backend::Device* device_ = nullptr;
  const model::BlockPlan* plan_ = nullptr;
  std::unique_ptr<backend::Buffer> buffer_;
  std::array<std::unique_ptr<model::ResidentWeight>, model::kLinearCount> resident_;
  std::array<std::unique_ptr<SourceWeight>, model::kLinearCount> streamed_;
  model::BlockWeights weights_;
};

// Asks the system to read the tensors of `block` ahead; nothing past the last block.
void prefetch_block(const ModelSource& source, int64_t block);

}  // namespace scrooge::pipeline
