// SPDX-License-Identifier: Apache-2.0
#include "src/model/block_plan.h"

namespace scrooge::model {

BlockPlan make_block_plan(const ModelConfig& config) {
  const int64_t d = config.width;
  const int64_t q = config.q_width();
  const int64_t kv = config.kv_width();
  const int64_t f = config.feed_forward;
  BlockPlan plan;
  plan.linears = {{
      {LinearRole::kQ, "self_attn.q_proj", q, d, config.qkv_bias},
      {LinearRole::kK, "self_attn.k_proj", kv, d, config.qkv_bias},
      {LinearRole::kV, "self_attn.v_proj", kv, d, config.qkv_bias},
      {LinearRole::kO, "self_attn.o_proj", d, q, config.o_bias},
      {LinearRole::kGate, "mlp.gate_proj", f, d, false},
      {LinearRole::kUp, "mlp.up_proj", f, d, false},
      {LinearRole::kDown, "mlp.down_proj", d, f, false},
  }};
  plan.norms = {"input_layernorm", "post_attention_layernorm"};
  plan.stages = {
      {"qkv", Producer::kInputNorm, {LinearRole::kQ, LinearRole::kK, LinearRole::kV}, d, 1},
      {"o", Producer::kAttention, {LinearRole::kO}, q, config.heads / config.kv_heads},
      {"gate_up", Producer::kPostNorm, {LinearRole::kGate, LinearRole::kUp}, d, 1},
      {"down", Producer::kGate, {LinearRole::kDown}, f, 1},
  };
  return plan;
}

std::string block_prefix(int64_t block) { return concat("model.layers.", block, "."); }

}  // namespace scrooge::model
