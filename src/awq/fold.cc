// SPDX-License-Identifier: Apache-2.0
#include "src/awq/fold.h"

namespace scrooge::awq {

using model::LinearRole;
using model::Producer;

namespace {

Result<std::vector<float>> fetch(backend::Device& device, const backend::Vector& vector) {
  std::vector<float> values(static_cast<size_t>(vector.size));
  if (!values.empty()) {
    SCROOGE_RETURN_IF_ERROR(device.download(*vector.buffer, vector.offset, std::as_writable_bytes(std::span(values))));
  }
  return values;
}

void divide(std::vector<float>& values, std::span<const float> s) {
  for (size_t i = 0; i < values.size(); ++i) values[i] /= s[i];
}

// The scale of each value channel; its tied query channels all have the same.
std::vector<float> value_scale(const model::ModelConfig& config, std::span<const float> s) {
  std::vector<float> result(static_cast<size_t>(config.kv_width()));
  for (size_t k = 0; k < s.size(); ++k) {
    result[static_cast<size_t>(model::tied_channel(config, static_cast<int64_t>(k)))] = s[k];
  }
  return result;
}

}  // namespace

std::vector<int64_t> attention_ties(const model::ModelConfig& config) {
  std::vector<int64_t> ties(static_cast<size_t>(config.q_width()));
  for (size_t k = 0; k < ties.size(); ++k) ties[k] = model::tied_channel(config, static_cast<int64_t>(k));
  return ties;
}

Result<FoldedBlock> fold_block(backend::Device& device, const model::ModelConfig& config, const model::BlockPlan& plan,
                               const model::BlockWeights& originals, std::span<StageSolution> stages) {
  FoldedBlock folded;
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    for (size_t i = 0; i < plan.stages[s].linears.size(); ++i) {
      folded.quantized[static_cast<size_t>(plan.stages[s].linears[i])] = &stages[s].linears[i].quantized;
    }
  }
  for (size_t i = 0; i < folded.norms.size(); ++i) {
    SCROOGE_ASSIGN_OR_RETURN(folded.norms[i], fetch(device, originals.norms[i]));
  }
  for (size_t i = 0; i < folded.biases.size(); ++i) {
    SCROOGE_ASSIGN_OR_RETURN(folded.biases[i], fetch(device, originals.biases[i]));
  }
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    const std::vector<float>& scale = stages[s].choice.scale;
    switch (plan.stages[s].producer) {
      case Producer::kInputNorm: divide(folded.norms[static_cast<size_t>(model::NormRole::kInput)], scale); break;
      case Producer::kPostNorm:
        divide(folded.norms[static_cast<size_t>(model::NormRole::kPostAttention)], scale);
        break;
      case Producer::kAttention: {
        const std::vector<float> rows = value_scale(config, scale);
        const auto v = static_cast<size_t>(LinearRole::kV);
        SCROOGE_RETURN_IF_ERROR(fold_rows(device, rows, *folded.quantized[v]));
        divide(folded.biases[v], rows);
        break;
      }
      case Producer::kGate:
        SCROOGE_RETURN_IF_ERROR(fold_rows(device, scale, *folded.quantized[static_cast<size_t>(LinearRole::kUp)]));
        break;
    }
  }
  return folded;
}

}  // namespace scrooge::awq
