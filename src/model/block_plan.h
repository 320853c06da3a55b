// SPDX-License-Identifier: Apache-2.0
// One decoder block as data: its linears, norms and stages. Algorithms read this description and nothing else of a
// family. A stage is a scale set (the linears that read one input X) with the op that produces X.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "src/model/model_config.h"

namespace scrooge::model {

enum class LinearRole : int { kQ = 0, kK, kV, kO, kGate, kUp, kDown };
constexpr int kLinearCount = 7;
enum class NormRole : int { kInput = 0, kPostAttention };
constexpr int kNormCount = 2;

struct LinearPlan {
  LinearRole role;
  std::string name;  // within the block, without ".weight": "self_attn.q_proj"
  int64_t rows = 0;  // N
  int64_t cols = 0;  // K
  bool bias = false;
};

// What the stage's input X is computed from, and so where its scale s is folded:
//   norm: X = norm(h); gamma is divided by s
//   attention: X = attention(q, k, v); v's rows (and bias) are divided by s, one value per key-value channel
//   gate: X = act(gate) * up; up's rows are divided by s
enum class Producer : int { kInputNorm = 0, kAttention, kPostNorm, kGate };

struct StagePlan {
  std::string name;  // "qkv", "o", "gate_up", "down"
  Producer producer;
  std::vector<LinearRole> linears;
  int64_t input = 0;  // K
  int64_t tie = 1;    // consecutive heads that share a scale: H / Hkv for attention, else 1
};

struct BlockPlan {
  std::array<LinearPlan, kLinearCount> linears;
  std::array<std::string, kNormCount> norms;  // names within the block, without ".weight"
  std::vector<StagePlan> stages;              // in the order of computation

  const LinearPlan& linear(LinearRole role) const { return linears[static_cast<size_t>(role)]; }
};

BlockPlan make_block_plan(const ModelConfig& config);

// For attention stages: index of the key-value channel that input channel `k` of o reads.
inline int64_t tied_channel(const ModelConfig& config, int64_t k) {
  const int64_t head = k / config.head_width;
  return head / (config.heads / config.kv_heads) * config.head_width + k % config.head_width;
}

// Names used inside .scrooge files, the Hugging Face ones: "model.layers.3.self_attn.q_proj.weight".
std::string block_prefix(int64_t block);
inline constexpr std::string_view kEmbeddingName = "model.embed_tokens.weight";
inline constexpr std::string_view kFinalNormName = "model.norm.weight";
inline constexpr std::string_view kHeadName = "lm_head.weight";
inline constexpr std::string_view kInvFreqName = "model.rotary_emb.inv_freq";

}  // namespace scrooge::model
