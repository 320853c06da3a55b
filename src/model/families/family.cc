// SPDX-License-Identifier: Apache-2.0
#include "src/model/families/family.h"

#include <utility>

namespace scrooge::model {

std::span<const Family* const> all_families() {
  static constexpr const Family* kFamilies[] = {&kLlamaFamily, &kQwen2Family};
  return kFamilies;
}

const Family* find_family(std::string_view architecture) {
  for (const Family* family : all_families()) {
    if (family->architecture == architecture) return family;
  }
  return nullptr;
}

const Family* find_family_by_type(std::string_view model_type) {
  for (const Family* family : all_families()) {
    if (family->name == model_type) return family;
  }
  return nullptr;
}

const Family* find_gguf_family(std::string_view gguf_architecture) {
  for (const Family* family : all_families()) {
    if (family->gguf_architecture == gguf_architecture) return family;
  }
  return nullptr;
}

std::string known_architectures() {
  std::string list;
  for (const Family* family : all_families()) list += concat(list.empty() ? "" : ", ", family->architecture);
  return list;
}

std::string gguf_tensor_name(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kWhole[] = {
      {kEmbeddingName, "token_embd.weight"},
      {kFinalNormName, "output_norm.weight"},
      {kHeadName, "output.weight"},
  };
  static constexpr std::pair<std::string_view, std::string_view> kInBlock[] = {
      {"self_attn.q_proj", "attn_q"},      {"self_attn.k_proj", "attn_k"},   {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"}, {"mlp.gate_proj", "ffn_gate"},    {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"},       {"input_layernorm", "attn_norm"}, {"post_attention_layernorm", "ffn_norm"},
  };
  for (const auto& [ours, theirs] : kWhole) {
    if (ours == name) return std::string(theirs);
  }
  constexpr std::string_view kPrefix = "model.layers.";
  if (!name.starts_with(kPrefix)) return {};
  name.remove_prefix(kPrefix.size());
  const size_t dot = name.find('.');
  const size_t suffix = name.rfind('.');
  if (dot == std::string_view::npos || suffix <= dot) return {};
  const std::string_view middle = name.substr(dot + 1, suffix - dot - 1);
  for (const auto& [ours, theirs] : kInBlock) {
    if (ours == middle) return concat("blk.", name.substr(0, dot), ".", theirs, name.substr(suffix));
  }
  return {};
}

}  // namespace scrooge::model
