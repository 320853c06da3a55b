// SPDX-License-Identifier: Apache-2.0
// What the quantized linears of a block compute, in the coordinates of the checkpoint: dequantized, the stage's scale
// undone. In device memory as a whole, or made of the codes tile by tile each time they are used.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "src/awq/quantized_linear.h"
#include "src/model/block_forward.h"

namespace scrooge::pipeline {

// One thread at a time. The device must outlive it, and what set() was given until the next set() of the same linear.
class EffectiveBlock {
 public:
  static uint64_t device_bytes(const model::BlockPlan& plan, bool resident);
  // `tile_room`: of tile_room_bytes(), where tiles are made. With `resident` tiles are not needed after set().
  static Result<EffectiveBlock> create(backend::Device& device, const model::BlockPlan& plan, bool resident,
                                       backend::Buffer& tile_room);
  EffectiveBlock();
  EffectiveBlock(EffectiveBlock&& other) noexcept;
  EffectiveBlock& operator=(EffectiveBlock&& other) noexcept;
  ~EffectiveBlock();

  // Linears of one stage share s[K].
  Status set(model::LinearRole role, const awq::QuantizedLinear& quantized, std::span<const float> s);
  // As the block computes without a scale in the way: codes, scales and zeros alone. Never resident.
  Status set_folded(model::LinearRole role, const awq::QuantizedLinear& quantized);
  model::WeightRows& linear(model::LinearRole role) const;
  std::array<model::WeightRows*, model::kLinearCount> linears() const;

 private:
  class CodedWeight;

  backend::Device* device_ = nullptr;
  bool resident_ = false;
  std::unique_ptr<backend::Buffer> scales_;   // 1/s[K] of every linear
  std::unique_ptr<backend::Buffer> weights_;  // where resident
  std::array<std::unique_ptr<CodedWeight>, model::kLinearCount> coded_;
  std::array<std::unique_ptr<model::ResidentWeight>, model::kLinearCount> dense_;
  std::array<bool, model::kLinearCount> folded_{};
};

}  // namespace scrooge::pipeline
