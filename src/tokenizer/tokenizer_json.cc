// SPDX-License-Identifier: Apache-2.0
#include "src/base/json.h"
#include "src/tokenizer/json_model.h"
#include "src/tokenizer/json_steps.h"
#include "src/tokenizer/tokenizer_parts.h"

namespace scrooge::tokenizer {

namespace {

constexpr JsonLimits kLimits{.max_bytes = 256ull << 20, .max_depth = 32};

struct Config {
  std::optional<std::string> bos_text;
  std::optional<bool> add_bos;
  // transformers rebuilds the post-processor of these classes from add_bos_token; for all others tokenizer.json rules.
  bool rebuilds_post_processor = false;
};

Result<Config> read_config(std::string_view text) {
  Config config;
  if (text.empty()) return config;
  SCROOGE_ASSIGN_OR_RETURN(const auto document,
                           JsonDocument::parse(text, "tokenizer_config.json", StatusCode::kBadTokenizer, kLimits));
  const JsonValue root = document.root();
  if (const auto bos = root.find("bos_token")) {
    const auto content = bos->find("content");
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view token, (content ? *content : *bos).as_string());
    config.bos_text = std::string(token);
  }
  if (const auto add = root.find("add_bos_token")) {
    SCROOGE_ASSIGN_OR_RETURN(config.add_bos, add->as_bool());
  }
  if (const auto name = root.find("tokenizer_class")) {
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view text_of_name, name->as_string());
    for (const std::string_view prefix : {"LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer"}) {
      if (text_of_name.starts_with(prefix)) config.rebuilds_post_processor = true;
    }
  }
  return config;
}

// The id that the post-processor puts first, if it puts one there.
Result<std::optional<int32_t>> read_first_special(const JsonValue& processor, int depth) {
  const std::optional<int32_t> none;
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue type_field, processor.get("type"));
  SCROOGE_ASSIGN_OR_RETURN(const std::string_view type, type_field.as_string());
  if (type == "Sequence" && depth < 8) {
    SCROOGE_ASSIGN_OR_RETURN(const JsonValue list, processor.get("processors"));
    SCROOGE_ASSIGN_OR_RETURN(const auto entries, list.as_array());
    for (const JsonValue& entry : entries) {
      SCROOGE_ASSIGN_OR_RETURN(const auto id, read_first_special(entry, depth + 1));
      if (id) return id;
    }
    return none;
  }
  if (type == "RobertaProcessing" || type == "BertProcessing") {
    SCROOGE_ASSIGN_OR_RETURN(const JsonValue field, processor.get("cls"));
    SCROOGE_ASSIGN_OR_RETURN(const auto pair, field.as_array());
    if (pair.size() != 2) return field.fail("expected a token and its id");
    SCROOGE_ASSIGN_OR_RETURN(const int64_t id, pair[1].as_int_in(0, kMaxTokens - 1));
    return std::optional<int32_t>(static_cast<int32_t>(id));
  }
  if (type != "TemplateProcessing") return none;  // the others put nothing around the text
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue single, processor.get("single"));
  SCROOGE_ASSIGN_OR_RETURN(const auto pieces, single.as_array());
  if (pieces.empty()) return none;
  const auto special = pieces[0].find("SpecialToken");
  if (!special) return none;
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue name_field, special->get("id"));
  SCROOGE_ASSIGN_OR_RETURN(const std::string_view name, name_field.as_string());
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue table, processor.get("special_tokens"));
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue entry, table.get(name));
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue ids_field, entry.get("ids"));
  SCROOGE_ASSIGN_OR_RETURN(const auto ids, ids_field.as_array());
  if (ids.empty()) return none;
  SCROOGE_ASSIGN_OR_RETURN(const int64_t id, ids[0].as_int_in(0, kMaxTokens - 1));
  return std::optional<int32_t>(static_cast<int32_t>(id));
}

std::optional<int32_t> find_token(const TokenizerParts& parts, std::string_view text) {
  for (const AddedToken& token : parts.added_tokens) {
    if (token.content == text) return token.id;
  }
  return parts.model.tokens().find(text);
}

}  // namespace

Result<TokenizerParts> read_tokenizer_json(std::string_view tokenizer_json, std::string_view tokenizer_config_json,
                                           std::string name) {
  SCROOGE_ASSIGN_OR_RETURN(const auto document,
                           JsonDocument::parse(tokenizer_json, name, StatusCode::kBadTokenizer, kLimits));
  const JsonValue root = document.root();
  SCROOGE_ASSIGN_OR_RETURN(JsonSteps steps, read_json_steps(root));
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue model_field, root.get("model"));
  SCROOGE_ASSIGN_OR_RETURN(BpeModel model, read_bpe_model(model_field, steps.byte_level));
  std::vector<AddedToken> added;
  if (const auto field = root.find("added_tokens")) {
    SCROOGE_ASSIGN_OR_RETURN(added, read_added_tokens(*field, model.tokens()));
  }
  TokenizerParts parts{std::move(name),
                       std::move(model),
                       std::move(added),
                       std::move(steps.normalizer),
                       std::move(steps.pre_tokenizer),
                       steps.byte_level ? std::string() : std::move(steps.space_mark),
                       std::nullopt,
                       false};
  SCROOGE_ASSIGN_OR_RETURN(const Config config, read_config(tokenizer_config_json));
  std::optional<int32_t> first;
  const auto processor = root.find("post_processor");
  if (processor) {
    SCROOGE_ASSIGN_OR_RETURN(first, read_first_special(*processor, 0));
  }
  if (config.bos_text) parts.bos = find_token(parts, *config.bos_text);
  if (!parts.bos) parts.bos = first;
  if (config.add_bos && (config.rebuilds_post_processor || !first)) {
    parts.adds_bos = *config.add_bos && parts.bos.has_value();
  } else {
    parts.adds_bos = first.has_value() && first == parts.bos;
  }
  return parts;
}

}  // namespace scrooge::tokenizer
