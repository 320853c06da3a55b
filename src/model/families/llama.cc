// SPDX-License-Identifier: Apache-2.0
// Llama 1 to 3, SmolLM2, TinyLlama and others that use the class unchanged.
#include "src/model/families/family.h"

namespace scrooge::model {
namespace {

Status read_config(const JsonValue& root, ModelConfig& config) {
  if (const auto bias = root.find("attention_bias")) {
    SCROOGE_ASSIGN_OR_RETURN(config.qkv_bias, bias->as_bool());
    config.o_bias = config.qkv_bias;
  }
  if (const auto bias = root.find("mlp_bias")) {
    SCROOGE_ASSIGN_OR_RETURN(const bool present, bias->as_bool());
    if (present)
      return error(StatusCode::kUnsupported, bias->where(), ": biases in the feed-forward are not supported");
  }
  return {};
}

}  // namespace

const Family kLlamaFamily = {"llama", "LlamaForCausalLM", "llama", true, read_config};

}  // namespace scrooge::model
