// SPDX-License-Identifier: Apache-2.0
// What differs between model families: architecture names, config keys beyond the common ones, tensor names in GGUF.
// A new family is a new file here and a line in family.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/base/json.h"
#include "src/model/block_plan.h"

namespace scrooge::model {

struct Family {
  std::string_view name;               // "llama"
  std::string_view architecture;       // Hugging Face class: "LlamaForCausalLM"
  std::string_view gguf_architecture;  // general.architecture
  // GGUF stores q and k with rows reordered for interleaved rotary pairs; they are put back into half-split order.
  bool gguf_interleaved_rope;
  Status (*read_config)(const JsonValue& root, ModelConfig& config);
};

extern const Family kLlamaFamily;
extern const Family kQwen2Family;

std::span<const Family* const> all_families();
const Family* find_family(std::string_view architecture);
const Family* find_family_by_type(std::string_view model_type);  // "llama"
const Family* find_gguf_family(std::string_view gguf_architecture);
std::string known_architectures();

// "blk.3.attn_q.weight" for "model.layers.3.self_attn.q_proj.weight", the same for norms, biases, embedding, final norm
// and head. Empty for a name that has no counterpart.
std::string gguf_tensor_name(std::string_view name);

}  // namespace scrooge::model
