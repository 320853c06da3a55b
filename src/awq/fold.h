// SPDX-License-Identifier: Apache-2.0
// Folds the scales of a solved block into their producers. The linears' columns carry s already (codes are of W * s);
// what is left is to divide what produces their input: a norm's gamma, v's rows, up's rows.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "src/awq/solve.h"
#include "src/model/block_forward.h"

namespace scrooge::awq {

// The block as the file states it. `quantized` points into the solutions it was made from.
struct FoldedBlock {
  std::array<QuantizedLinear*, model::kLinearCount> quantized{};
  std::array<std::vector<float>, model::kNormCount> norms;     // [d]
  std::array<std::vector<float>, model::kLinearCount> biases;  // [N], empty without
};

// `stages` are the solutions in the order of plan.stages; the group scales of v and up change in place (fold_rows).
// `originals` are the weights the block was loaded with.
Result<FoldedBlock> fold_block(backend::Device& device, const model::ModelConfig& config, const model::BlockPlan& plan,
                               const model::BlockWeights& originals, std::span<StageSolution> stages);

// Which query channels of o share a scale: the ones that read one value channel.
std::vector<int64_t> attention_ties(const model::ModelConfig& config);

}  // namespace scrooge::awq
