// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/json_model.h"

#include <algorithm>
#include <set>

#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

Status check_utf8(const JsonValue& where, std::string_view text) {
  return valid_utf8_prefix(text) == text.size() ? Status() : where.fail("not valid UTF-8");
}

Result<TokenTable> read_vocabulary(const JsonValue& vocab) {
  TokenTable tokens;
  SCROOGE_ASSIGN_OR_RETURN(const auto members, vocab.as_object());
  for (const auto& [text, value] : members) {
    SCROOGE_ASSIGN_OR_RETURN(const int64_t id, value.as_int_in(0, kMaxTokens - 1));
    SCROOGE_RETURN_IF_ERROR(check_utf8(value, text));
    switch (tokens.insert(static_cast<int32_t>(id), text)) {
      case TokenTable::Insert::kAdded: break;
      case TokenTable::Insert::kDuplicateText: return value.fail("the token is there twice");
      case TokenTable::Insert::kDuplicateId: return value.fail(concat("another token has the id ", id));
      case TokenTable::Insert::kTooLarge: return value.fail("the vocabulary is too large");
    }
  }
  return tokens;
}

Status read_merges(const JsonValue& merges, BpeModel& model) {
  SCROOGE_ASSIGN_OR_RETURN(const auto entries, merges.as_array());
  uint32_t rank = 0;
  for (const JsonValue& entry : entries) {
    std::string_view left;
    std::string_view right;
    if (entry.is_array()) {
      SCROOGE_ASSIGN_OR_RETURN(const auto pair, entry.as_array());
      if (pair.size() != 2) return entry.fail("a merge needs two tokens");
      SCROOGE_ASSIGN_OR_RETURN(left, pair[0].as_string());
      SCROOGE_ASSIGN_OR_RETURN(right, pair[1].as_string());
    } else {
      SCROOGE_ASSIGN_OR_RETURN(const std::string_view text, entry.as_string());
      if (text.starts_with("#version")) continue;
      const size_t space = text.find(' ');
      if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
        return entry.fail(concat("the merge \"", printable(text), "\" is not two tokens and one space"));
      }
      left = text.substr(0, space);
      right = text.substr(space + 1);
    }
    SCROOGE_RETURN_IF_ERROR(add_text_merge(model, left, right, rank, entry.where()));
    ++rank;
  }
  return {};
}

Status refuse_option(const JsonValue& model, std::string_view key) {
  const auto option = model.find(key);
  if (!option) return {};
  if (option->is_string() && option->as_string().ok() && (*option->as_string()).empty()) return {};
  return error(StatusCode::kUnknownTokenizer, option->where(), ": this version does not know BPE with this option");
}

}  // namespace

Result<bool> read_flag(const JsonValue& object, std::string_view key, bool fallback) {
  const auto member = object.find(key);
  return member ? member->as_bool() : Result<bool>(fallback);
}

Status add_text_merge(BpeModel& model, std::string_view left, std::string_view right, uint32_t rank,
                      std::string_view where) {
  const std::string result = concat(left, right);
  const auto left_id = model.tokens().find(left);
  const auto right_id = model.tokens().find(right);
  const auto result_id = model.tokens().find(result);
  if (left_id && right_id && result_id) {
    model.add_merge(*left_id, *right_id, rank, *result_id);
    return {};
  }
  const std::string_view missing = !left_id ? left : !right_id ? right : std::string_view(result);
  return error(StatusCode::kBadTokenizer, where, ": the merge of \"", printable(left), "\" and \"", printable(right),
               "\" names \"", printable(missing), "\", which is not in the vocabulary");
}

Result<BpeModel> read_bpe_model(const JsonValue& model, bool byte_level) {
  if (!model.is_object()) return model.fail("expected an object");
  // Files older than the field are all BPE when they have merges.
  if (const auto type = model.find("type")) {
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view name, type->as_string());
    if (name != "BPE") {
      return error(StatusCode::kUnknownTokenizer, type->where(), ": this version does not know the tokenizer model \"",
                   printable(name), "\", only BPE");
    }
  } else if (!model.find("merges")) {
    return error(StatusCode::kUnknownTokenizer, model.where(),
                 ": a tokenizer model without type and merges is not BPE");
  }
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    SCROOGE_RETURN_IF_ERROR(refuse_option(model, key));
  }
  if (const auto dropout = model.find("dropout")) {
    SCROOGE_ASSIGN_OR_RETURN(const double rate, dropout->as_double());
    if (rate != 0) SCROOGE_RETURN_IF_ERROR(refuse_option(model, "dropout"));
  }
  BpeOptions options;
  options.byte_level = byte_level;
  SCROOGE_ASSIGN_OR_RETURN(options.ignore_merges, read_flag(model, "ignore_merges", false));
  SCROOGE_ASSIGN_OR_RETURN(options.byte_fallback, read_flag(model, "byte_fallback", false));
  SCROOGE_ASSIGN_OR_RETURN(options.fuse_unknown, read_flag(model, "fuse_unk", false));
  if (const auto unknown = model.find("unk_token")) {
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view text, unknown->as_string());
    options.unknown = std::string(text);
  }
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue vocab, model.get("vocab"));
  SCROOGE_ASSIGN_OR_RETURN(TokenTable tokens, read_vocabulary(vocab));
  BpeModel result(std::move(tokens), std::move(options));
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue merges, model.get("merges"));
  SCROOGE_RETURN_IF_ERROR(read_merges(merges, result));
  return result;
}

Result<std::vector<AddedToken>> read_added_tokens(const JsonValue& added_tokens, const TokenTable& vocabulary) {
  std::vector<AddedToken> tokens;
  std::set<std::string, std::less<>> contents;
  int32_t next = vocabulary.count();
  SCROOGE_ASSIGN_OR_RETURN(const auto entries, added_tokens.as_array());
  for (const JsonValue& entry : entries) {
    SCROOGE_ASSIGN_OR_RETURN(const JsonValue content, entry.get("content"));
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view text, content.as_string());
    SCROOGE_RETURN_IF_ERROR(check_utf8(content, text));
    SCROOGE_ASSIGN_OR_RETURN(const JsonValue id_field, entry.get("id"));
    SCROOGE_ASSIGN_OR_RETURN(const int64_t id, id_field.as_int_in(0, kMaxTokens - 1));
    if (text.empty()) continue;
    if (!contents.emplace(text).second) return content.fail(concat("\"", printable(text), "\" is added twice"));
    AddedToken token;
    token.content = std::string(text);
    token.id = vocabulary.find(text).value_or(next);
    if (token.id != id) {
      return id_field.fail(concat("\"", printable(text), "\" should have the id ", token.id, ", not ", id));
    }
    next = std::max(next, token.id + 1);
    SCROOGE_ASSIGN_OR_RETURN(token.special, read_flag(entry, "special", false));
    SCROOGE_ASSIGN_OR_RETURN(token.normalized, read_flag(entry, "normalized", !token.special));
    SCROOGE_ASSIGN_OR_RETURN(token.single_word, read_flag(entry, "single_word", false));
    SCROOGE_ASSIGN_OR_RETURN(token.strip_left, read_flag(entry, "lstrip", false));
    SCROOGE_ASSIGN_OR_RETURN(token.strip_right, read_flag(entry, "rstrip", false));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace scrooge::tokenizer
