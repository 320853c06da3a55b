// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/gguf_bridge.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "src/base/json.h"
#include "src/model/families/family.h"

namespace scrooge::pipeline {

using checkpoint::GgufHeader;
using checkpoint::GgufTensor;
using checkpoint::GgufValue;

namespace {

const GgufTensor* find_tensor(const GgufHeader& header, std::string_view name) {
  const auto& tensors = header.tensors();
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const GgufTensor& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

Status write_rope_scaling(const GgufHeader& header, const std::string& arch, JsonWriter& json) {
  const auto kind = header.find(arch + ".rope.scaling.type");
  if (!kind) return {};
  SCROOGE_ASSIGN_OR_RETURN(const std::string_view name, kind->as_string());
  if (name == "none") return {};
  if (name != "linear") {
    return error(StatusCode::kUnsupported, kind->where(), ": rotary scaling \"", printable(name),
                 "\" is not supported");
  }
  SCROOGE_ASSIGN_OR_RETURN(const double factor, header.get_f64(arch + ".rope.scaling.factor"));
  json.key("rope_scaling").begin_object().field("rope_type", "linear").field("factor", factor).end_object();
  return {};
}

Result<std::optional<int32_t>> optional_id(const GgufHeader& header, std::string_view key) {
  const auto value = header.find(key);
  if (!value) return std::optional<int32_t>();
  // Absent ids are sometimes written as 2^32 - 1.
  SCROOGE_ASSIGN_OR_RETURN(const uint64_t id, value->as_u64());
  if (id == 0xffffffffull) return std::optional<int32_t>();
  if (id > 0x7fffffffull) return value->fail(concat("token id ", id, " is out of range"));
  return std::optional<int32_t>(static_cast<int32_t>(id));
}

Result<std::optional<bool>> optional_flag(const GgufHeader& header, std::string_view key) {
  const auto value = header.find(key);
  if (!value) return std::optional<bool>();
  SCROOGE_ASSIGN_OR_RETURN(const bool flag, value->as_bool());
  return std::optional<bool>(flag);
}

std::vector<std::string> owned(const std::vector<std::string_view>& views) { return {views.begin(), views.end()}; }

}  // namespace

Result<std::string> gguf_config_json(const GgufHeader& header) {
  SCROOGE_ASSIGN_OR_RETURN(const std::string_view name, header.get_string("general.architecture"));
  const model::Family* family = model::find_gguf_family(name);
  if (family == nullptr) {
    return error(StatusCode::kUnknownArchitecture, header.name(), ": general.architecture \"", printable(name),
                 "\" is not known; this version knows ", model::known_architectures());
  }
  const std::string arch(name);
  const GgufTensor* embedding = find_tensor(header, "token_embd.weight");
  if (embedding == nullptr || embedding->shape.size() != 2) {
    return error(StatusCode::kMissingTensor, header.name(), ": tensor token_embd.weight is missing or not a matrix");
  }
  JsonWriter json;
  json.begin_object();
  json.key("architectures").begin_array().value(family->architecture).end_array();
  const auto copy = [&](std::string_view suffix, std::string_view field) -> Status {
    SCROOGE_ASSIGN_OR_RETURN(const uint64_t value, header.get_u64(arch + std::string(suffix)));
    json.field(field, value);
    return {};
  };
  SCROOGE_RETURN_IF_ERROR(copy(".block_count", "num_hidden_layers"));
  SCROOGE_RETURN_IF_ERROR(copy(".embedding_length", "hidden_size"));
  SCROOGE_RETURN_IF_ERROR(copy(".attention.head_count", "num_attention_heads"));
  SCROOGE_RETURN_IF_ERROR(copy(".feed_forward_length", "intermediate_size"));
  if (header.find(arch + ".attention.head_count_kv")) {
    SCROOGE_RETURN_IF_ERROR(copy(".attention.head_count_kv", "num_key_value_heads"));
  }
  if (header.find(arch + ".attention.key_length")) SCROOGE_RETURN_IF_ERROR(copy(".attention.key_length", "head_dim"));
  if (header.find(arch + ".context_length"))
    SCROOGE_RETURN_IF_ERROR(copy(".context_length", "max_position_embeddings"));
  json.field("vocab_size", embedding->shape[0]);
  SCROOGE_ASSIGN_OR_RETURN(const double epsilon, header.get_f64(arch + ".attention.layer_norm_rms_epsilon"));
  json.field("rms_norm_eps", epsilon);
  if (header.find(arch + ".rope.freq_base")) {
    SCROOGE_ASSIGN_OR_RETURN(const double theta, header.get_f64(arch + ".rope.freq_base"));
    json.field("rope_theta", theta);
  }
  SCROOGE_RETURN_IF_ERROR(write_rope_scaling(header, arch, json));
  json.field("tie_word_embeddings", find_tensor(header, "output.weight") == nullptr);
  // Llama has no biases unless the file carries them.
  json.field("attention_bias", find_tensor(header, "blk.0.attn_q.bias") != nullptr);
  json.end_object();
  return json.text();
}

Result<tokenizer::GgufVocabulary> gguf_vocabulary(const GgufHeader& header) {
  const auto model = header.find("tokenizer.ggml.model");
  const auto tokens = header.find("tokenizer.ggml.tokens");
  if (!model || !tokens) {
    return error(StatusCode::kMissingTokenizer, header.name(),
                 ": no tokenizer.ggml.model and tokens; give token ids in a file instead");
  }
  tokenizer::GgufVocabulary vocabulary;
  SCROOGE_ASSIGN_OR_RETURN(vocabulary.model, model->as_string());
  SCROOGE_ASSIGN_OR_RETURN(const auto token_views, tokens->as_strings());
  vocabulary.tokens = owned(token_views);
  if (const auto pre = header.find("tokenizer.ggml.pre")) {
    SCROOGE_ASSIGN_OR_RETURN(vocabulary.pre, pre->as_string());
  }
  if (const auto scores = header.find("tokenizer.ggml.scores")) {
    SCROOGE_ASSIGN_OR_RETURN(vocabulary.scores, scores->as_floats());
  }
  if (const auto types = header.find("tokenizer.ggml.token_type")) {
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<int64_t> values, types->as_ints());
    // One that does not even fit becomes one that nobody knows, and is refused as such.
    for (const int64_t value : values) {
      vocabulary.types.push_back(std::in_range<int32_t>(value) ? static_cast<int32_t>(value) : -1);
    }
  }
  if (const auto merges = header.find("tokenizer.ggml.merges")) {
    SCROOGE_ASSIGN_OR_RETURN(const auto merge_views, merges->as_strings());
    vocabulary.merges = owned(merge_views);
  }
  SCROOGE_ASSIGN_OR_RETURN(vocabulary.bos, optional_id(header, "tokenizer.ggml.bos_token_id"));
  SCROOGE_ASSIGN_OR_RETURN(vocabulary.eos, optional_id(header, "tokenizer.ggml.eos_token_id"));
  SCROOGE_ASSIGN_OR_RETURN(vocabulary.unknown, optional_id(header, "tokenizer.ggml.unknown_token_id"));
  SCROOGE_ASSIGN_OR_RETURN(vocabulary.add_bos, optional_flag(header, "tokenizer.ggml.add_bos_token"));
  SCROOGE_ASSIGN_OR_RETURN(vocabulary.add_eos, optional_flag(header, "tokenizer.ggml.add_eos_token"));
  SCROOGE_ASSIGN_OR_RETURN(vocabulary.add_space_prefix, optional_flag(header, "tokenizer.ggml.add_space_prefix"));
  return vocabulary;
}

}  // namespace scrooge::pipeline
