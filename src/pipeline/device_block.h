// SPDX-License-Identifier: Apache-2.0
// The weights of one decoder block in device memory, loaded block after block into the same buffers.
#pragma once

#include <array>
#include <memory>

#include "src/model/block_forward.h"
#include "src/pipeline/model_source.h"

namespace scrooge::pipeline {

// One thread at a time. The device must outlive it.
class DeviceBlock {
 public:
  static uint64_t device_bytes(const model::BlockPlan& plan, const model::ModelConfig& config);
  static Result<DeviceBlock> create(backend::Device& device, const model::BlockPlan& plan,
                                    const model::ModelConfig& config, std::string_view purpose);

  // Reads the block as f32 and drops its pages behind. kNonFinite names tensor and count.
  Status load(const ModelSource& source, int64_t block);
  const model::BlockWeights& weights() const { return weights_; }

 private:
  Status load_tensor(const ModelSource& source, const std::string& name, backend::Matrix to);

  backend::Device* device_ = nullptr;
  const model::BlockPlan* plan_ = nullptr;
  std::unique_ptr<backend::Buffer> buffer_;
  model::BlockWeights weights_;
};

// Asks the system to read the tensors of `block` ahead; nothing past the last block.
void prefetch_block(const ModelSource& source, int64_t block);

}  // namespace scrooge::pipeline
