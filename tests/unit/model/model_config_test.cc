// SPDX-License-Identifier: Apache-2.0
#include "src/model/model_config.h"

#include <gtest/gtest.h>

#include "src/model/block_plan.h"
#include "src/model/families/family.h"

namespace scrooge::model {
namespace {

std::string config_with(const std::string& extra) {
  return R"({"architectures":["LlamaForCausalLM"],"num_hidden_layers":2,"hidden_size":64,"num_attention_heads":4,)"
         R"("num_key_value_heads":2,"intermediate_size":96,"vocab_size":384,"rms_norm_eps":1e-5)" +
         extra + "}";
}

StatusCode code_of(const std::string& json) { return parse_model_config(json, "config.json").status().code(); }

TEST(ModelConfig, ReadsALlama) {
  const auto config = parse_model_config(config_with(R"(,"tie_word_embeddings":true)"), "config.json");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->family, "llama");
  EXPECT_EQ(config->head_width, 16);
  EXPECT_EQ(config->kv_width(), 32);
  EXPECT_TRUE(config->tied_head);
  EXPECT_FALSE(config->qkv_bias);
}

TEST(ModelConfig, NamesTheUnknownArchitecture) {
  const auto config = parse_model_config(R"({"architectures":["MambaForCausalLM"]})", "config.json");
  EXPECT_EQ(config.status().code(), StatusCode::kUnknownArchitecture);
  EXPECT_NE(config.status().message().find("MambaForCausalLM"), std::string_view::npos);
}

TEST(ModelConfig, RefusesBadFieldsByName) {
  EXPECT_EQ(code_of("{}"), StatusCode::kBadConfig);
  EXPECT_EQ(code_of("[1]"), StatusCode::kBadConfig);
  EXPECT_EQ(code_of("{"), StatusCode::kBadConfig);
  EXPECT_EQ(code_of(R"({"architectures":[]})"), StatusCode::kBadConfig);
  for (const char* bad : {R"("num_hidden_layers":0)", R"("num_hidden_layers":1000000000)", R"("hidden_size":-1)",
                          R"("hidden_size":2147483648)", R"("num_attention_heads":5)", R"("num_key_value_heads":3)",
                          R"("vocab_size":"384")", R"("intermediate_size":96.5)"}) {
    // A later duplicate is not what simdjson finds first, so the field is put in front.
    std::string json = config_with("");
    json.insert(json.find("\"num_hidden"), std::string(bad) + ",");
    EXPECT_EQ(code_of(json), StatusCode::kBadConfig) << bad;
  }
  EXPECT_EQ(code_of(config_with(R"(,"rope_theta":0)")), StatusCode::kBadConfig);
  EXPECT_EQ(code_of(config_with(R"(,"rope_theta":1e-300)")), StatusCode::kBadConfig);
  EXPECT_EQ(code_of(config_with(R"(,"rope_scaling":{"rope_type":"linear","factor":1e-257})")), StatusCode::kBadConfig);
  EXPECT_EQ(code_of(config_with(R"(,"rope_scaling":{"factor":2})")), StatusCode::kBadConfig);
  EXPECT_EQ(code_of(config_with(R"(,"rope_scaling":{"rope_type":"linear","factor":0})")), StatusCode::kBadConfig);
}

TEST(ModelConfig, RefusesWhatItWouldComputeWrongly) {
  EXPECT_EQ(code_of(config_with(R"(,"rope_scaling":{"rope_type":"yarn","factor":2})")), StatusCode::kUnsupported);
  EXPECT_EQ(code_of(config_with(R"(,"hidden_act":"mish")")), StatusCode::kUnsupported);
  EXPECT_EQ(code_of(config_with(R"(,"mlp_bias":true)")), StatusCode::kUnsupported);
  EXPECT_EQ(code_of(config_with(R"(,"use_sliding_window":true)")), StatusCode::kUnsupported);
  EXPECT_EQ(code_of(config_with(R"(,"quantization_config":{"bits":4})")), StatusCode::kUnsupported);
}

TEST(RopeFrequencies, LinearDividesEveryFrequency) {
  auto plain = *parse_model_config(config_with(""), "c");
  auto scaled = *parse_model_config(config_with(R"(,"rope_scaling":{"type":"linear","factor":4})"), "c");
  const auto a = rope_inverse_frequencies(plain);
  const auto b = rope_inverse_frequencies(scaled);
  ASSERT_EQ(a.size(), 8u);
  EXPECT_FLOAT_EQ(a[0], 1.0f);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_FLOAT_EQ(b[i], a[i] / 4);
}

TEST(RopeFrequencies, Llama3KeepsHighAndDividesLowFrequencies) {
  auto plain = *parse_model_config(config_with(""), "c");
  auto scaled = *parse_model_config(
      config_with(R"(,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,)"
                  R"("original_max_position_embeddings":64})"),
      "c");
  const auto a = rope_inverse_frequencies(plain);
  const auto b = rope_inverse_frequencies(scaled);
  EXPECT_FLOAT_EQ(b.front(), a.front());    // 10 turns in the original context: kept
  EXPECT_FLOAT_EQ(b.back(), a.back() / 8);  // far less than one: divided
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_LE(b[i], a[i]);
    EXPECT_GE(b[i], a[i] / 8 * 0.999f);
  }
}

TEST(BlockPlan, StagesCoverEveryLinearOnce) {
  const auto config = *parse_model_config(config_with(""), "c");
  const BlockPlan plan = make_block_plan(config);
  int seen = 0;
  for (const StagePlan& stage : plan.stages) {
    for (const LinearRole role : stage.linears) {
      EXPECT_EQ(plan.linear(role).role, role);
      EXPECT_EQ(plan.linear(role).cols, stage.input);
      ++seen;
    }
  }
  EXPECT_EQ(seen, kLinearCount);
}

TEST(BlockPlan, TiedChannelsFollowTheKeyValueHead) {
  const auto config = *parse_model_config(config_with(""), "c");  // 4 heads, 2 kv heads, width 16
  EXPECT_EQ(tied_channel(config, 0), 0);
  EXPECT_EQ(tied_channel(config, 16 + 3), 3);
  EXPECT_EQ(tied_channel(config, 32 + 3), 16 + 3);
  EXPECT_EQ(tied_channel(config, 63), 31);
}

TEST(GgufNames, MapBothWays) {
  EXPECT_EQ(gguf_tensor_name("model.layers.12.self_attn.q_proj.weight"), "blk.12.attn_q.weight");
  EXPECT_EQ(gguf_tensor_name("model.layers.0.self_attn.k_proj.bias"), "blk.0.attn_k.bias");
  EXPECT_EQ(gguf_tensor_name("model.layers.3.post_attention_layernorm.weight"), "blk.3.ffn_norm.weight");
  EXPECT_EQ(gguf_tensor_name("model.embed_tokens.weight"), "token_embd.weight");
  EXPECT_EQ(gguf_tensor_name("lm_head.weight"), "output.weight");
  EXPECT_EQ(gguf_tensor_name("something.else"), "");
  EXPECT_EQ(gguf_tensor_name("model.layers."), "");
  EXPECT_EQ(gguf_tensor_name("model.layers.1"), "");
}

}  // namespace
}  // namespace scrooge::model
