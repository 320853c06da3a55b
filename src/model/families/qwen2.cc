// SPDX-License-Identifier: Apache-2.0
// Qwen2 and Qwen2.5: as Llama, with biases on q, k and v.
#include "src/model/families/family.h"

namespace scrooge::model {
namespace {

Status read_config(const JsonValue& /*root*/, ModelConfig& config) {
  config.qkv_bias = true;
  return {};
}

}  // namespace

const Family kQwen2Family = {"qwen2", "Qwen2ForCausalLM", "qwen2", false, read_config};

}  // namespace scrooge::model
