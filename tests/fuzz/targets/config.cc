// SPDX-License-Identifier: Apache-2.0
// config.json: what is accepted keeps the promises that the rest of the code relies on.
#include <cmath>

#include "src/model/block_plan.h"
#include "src/model/model_config.h"
#include "tests/fuzz/fuzz_target.h"

namespace scrooge::fuzz {

const InputKind kInputKind = InputKind::kJson;

std::vector<std::string> seeds() {
  constexpr const char* kSizes =
      R"("num_hidden_layers":2,"hidden_size":64,"num_attention_heads":4,"num_key_value_heads":2,)"
      R"("intermediate_size":96,"vocab_size":384,"rms_norm_eps":1e-5,"rope_theta":10000.0)";
  const std::string sizes(kSizes);
  return {R"({"architectures":["LlamaForCausalLM"],)" + sizes +
              R"(,"head_dim":16,"tie_word_embeddings":true,"hidden_act":"silu","attention_bias":false,)"
              R"("max_position_embeddings":512,"rope_scaling":{"rope_type":"llama3","factor":8.0,)"
              R"("low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":64}})",
          R"({"architectures":["Qwen2ForCausalLM"],)" + sizes +
              R"(,"rope_scaling":{"type":"linear","factor":2},"use_sliding_window":false})",
          R"({"model_type":"llama",)" + sizes + "}"};
}

void run(std::string_view input) {
  const auto config = model::parse_model_config(input, "input");
  if (!config.ok()) {
    require(config.status().message().find("input") != std::string_view::npos, "an error names the file");
    return;
  }
  require(config->blocks > 0 && config->width > 0 && config->feed_forward > 0 && config->vocabulary > 0,
          "sizes are positive");
  require(config->kv_heads > 0 && config->heads % config->kv_heads == 0, "kv heads divide heads");
  require(config->head_width > 0 && config->head_width % 2 == 0, "the head width is even");
  require(config->q_width() <= 1 << 20, "the query width is bounded");
  require(config->norm_epsilon > 0 && std::isfinite(config->norm_epsilon), "epsilon is positive");
  const model::BlockPlan plan = model::make_block_plan(*config);
  for (const model::LinearPlan& linear : plan.linears) {
    require(linear.rows > 0 && linear.cols > 0, "a linear has rows and columns");
  }
  for (const float frequency : model::rope_inverse_frequencies(*config)) {
    require(std::isfinite(frequency) && frequency >= 0, "frequencies are finite");
  }
}

}  // namespace scrooge::fuzz
