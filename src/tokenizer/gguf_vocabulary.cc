// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/tokenizer/json_model.h"
#include "src/tokenizer/known_patterns.h"
#include "src/tokenizer/tokenizer_parts.h"
#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

// tokenizer.ggml.token_type.
enum TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

constexpr size_t kMostMerges = 16 << 20;
// Every way to cut a scored token in two is tried, so their length is bounded; real ones stay below 100 bytes.
constexpr size_t kLongestScoredToken = 512;

// What the original tokenizer of each pre-tokenizer name does. Only names whose original is known for sure: a wrong
// guess would calibrate on wrong tokens without a sign of it.
struct PreTokenizerRule {
  std::string_view pre;
  std::string_view pattern;
  bool digits = false;
  bool nfc = false;
  bool ignore_merges = false;
  bool add_bos = false;
};
constexpr PreTokenizerRule kRules[] = {
    {.pre = "gpt-2", .pattern = kGpt2Pattern},
    {.pre = "phi-2", .pattern = kGpt2Pattern},
    {.pre = "smollm", .pattern = kGpt2Pattern, .digits = true},
    {.pre = "starcoder", .pattern = kGpt2Pattern, .digits = true},
    {.pre = "llama-bpe", .pattern = kLlama3Pattern, .ignore_merges = true, .add_bos = true},
    {.pre = "llama3", .pattern = kLlama3Pattern, .ignore_merges = true, .add_bos = true},
    {.pre = "llama-v3", .pattern = kLlama3Pattern, .ignore_merges = true, .add_bos = true},
    {.pre = "qwen2", .pattern = kQwen2Pattern, .nfc = true},
};

class Reader {
 public:
  Reader(const GgufVocabulary& vocabulary, std::string name) : vocabulary_(vocabulary), name_(std::move(name)) {}

  Result<TokenizerParts> read() {
    if (vocabulary_.model != "gpt2" && vocabulary_.model != "llama") {
      return error(StatusCode::kUnknownTokenizer, name_,
                   ": tokenizer.ggml.model: this version does not know the model \"", printable(vocabulary_.model),
                   "\", only gpt2 and llama");
    }
    SCROOGE_RETURN_IF_ERROR(check());
    SCROOGE_RETURN_IF_ERROR(read_tokens());
    return vocabulary_.model == "gpt2" ? byte_level() : scored();
  }

 private:
  Status bad(std::string_view field, std::string_view what) const {
    return error(StatusCode::kBadTokenizer, name_, ": tokenizer.ggml.", field, ": ", what);
  }

  int32_t type_of(size_t id) const { return vocabulary_.types.empty() ? kNormal : vocabulary_.types[id]; }

  Status check() const {
    const size_t count = vocabulary_.tokens.size();
    if (count == 0) return bad("tokens", "no tokens");
    if (count > static_cast<size_t>(kMaxTokens)) return bad("tokens", concat(count, " tokens, above ", kMaxTokens));
    if (!vocabulary_.types.empty() && vocabulary_.types.size() != count) {
      return bad("token_type", concat(vocabulary_.types.size(), " types for ", count, " tokens"));
    }
    const std::pair<std::string_view, std::optional<int32_t>> specials[] = {{"bos_token_id", vocabulary_.bos},
                                                                            {"eos_token_id", vocabulary_.eos},
                                                                            {"unknown_token_id", vocabulary_.unknown}};
    for (const auto& [field, id] : specials) {
      if (id && (*id < 0 || static_cast<size_t>(*id) >= count)) {
        return bad(field, concat(*id, " is outside 0 to ", count - 1));
      }
    }
    return {};
  }

  Status read_tokens() {
    for (size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      const std::string& text = vocabulary_.tokens[id];
      if (valid_utf8_prefix(text) != text.size()) return bad("tokens", concat("token ", id, " is not UTF-8"));
      if (tokens_.insert(static_cast<int32_t>(id), text) != TokenTable::Insert::kAdded) {
        return bad("tokens", concat("token ", id, " (\"", printable(text), "\") is there twice"));
      }
      const int32_t type = type_of(id);
      if (type < kNormal || type > kByte)
        return bad("token_type", concat("token ", id, " has the unknown type ", type));
      if (type == kByte && !is_byte_token(text)) {
        return bad("tokens", concat("byte token ", id, " (\"", printable(text), "\") is not of the form <0x0A>"));
      }
      if (type == kUnknown || type == kControl || type == kUserDefined) {
        added_.push_back({.id = static_cast<int32_t>(id), .content = text, .special = type != kUserDefined});
      }
    }
    std::erase_if(added_, [](const AddedToken& token) { return token.content.empty(); });
    return {};
  }

  static bool is_byte_token(std::string_view text) {
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
    return text.size() == 6 && text.starts_with("<0x") && is_hex(text[3]) && is_hex(text[4]) && text[5] == '>';
  }

  TokenizerParts finish(BpeModel model, bool adds_bos_by_default) {
    TokenizerParts parts{std::move(name_), std::move(model), std::move(added_), {}, {}, {}, vocabulary_.bos, false};
    parts.adds_bos = vocabulary_.add_bos.value_or(adds_bos_by_default) && parts.bos.has_value();
    return parts;
  }

  Result<TokenizerParts> byte_level() {
    const auto* rule = std::find_if(std::begin(kRules), std::end(kRules),
                                    [&](const PreTokenizerRule& r) { return r.pre == vocabulary_.pre; });
    if (rule == std::end(kRules)) {
      return error(StatusCode::kUnknownTokenizer, name_,
                   ": tokenizer.ggml.pre: this version does not know the pre-tokenizer \"", printable(vocabulary_.pre),
                   "\"; convert the model from its safetensors form instead");
    }
    if (vocabulary_.merges.empty()) return bad("merges", "no merges");
    if (vocabulary_.merges.size() > kMostMerges) return bad("merges", "too many merges");
    BpeModel model(std::move(tokens_), {.byte_level = true, .ignore_merges = rule->ignore_merges});
    for (size_t i = 0; i < vocabulary_.merges.size(); ++i) {
      const std::string_view text = vocabulary_.merges[i];
      const std::string where = concat(name_, ": tokenizer.ggml.merges[", i, "]");
      const size_t space = text.find(' ');
      if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
        return error(StatusCode::kBadTokenizer, where, ": \"", printable(text), "\" is not two tokens and one space");
      }
      SCROOGE_RETURN_IF_ERROR(
          add_text_merge(model, text.substr(0, space), text.substr(space + 1), static_cast<uint32_t>(i), where));
    }
    TokenizerParts parts = finish(std::move(model), rule->add_bos);
    if (rule->nfc) parts.normalizer.emplace_back(NfcStep{});
    if (rule->digits) parts.pre_tokenizer.emplace_back(DigitsStep{.individual = true});
    SCROOGE_ASSIGN_OR_RETURN(Pattern pattern, Pattern::compile(rule->pattern));
    parts.pre_tokenizer.emplace_back(SplitStep{std::move(pattern)});
    return parts;
  }

  // Ranks by score, the highest first; equal scores share a rank, so the leftmost merges first.
  Result<std::vector<uint32_t>> rank_scores() const {
    const auto& scores = vocabulary_.scores;
    if (scores.size() != vocabulary_.tokens.size()) {
      return bad("scores", concat(scores.size(), " scores for ", vocabulary_.tokens.size(), " tokens"));
    }
    for (size_t id = 0; id < scores.size(); ++id) {
      if (std::isnan(scores[id])) return bad("scores", concat("the score of token ", id, " is not a number"));
    }
    std::vector<uint32_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
    std::vector<uint32_t> ranks(scores.size());
    uint32_t rank = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      if (i > 0 && scores[order[i]] != scores[order[i - 1]]) ++rank;
      ranks[order[i]] = rank;
    }
    return ranks;
  }

  Result<TokenizerParts> scored() {
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<uint32_t> ranks, rank_scores());
    BpeOptions options{.byte_fallback = true, .fuse_unknown = true};
    if (vocabulary_.unknown) options.unknown = vocabulary_.tokens[static_cast<size_t>(*vocabulary_.unknown)];
    BpeModel model(std::move(tokens_), std::move(options));
    for (size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      if (type_of(id) != kNormal) continue;
      const std::string_view text = vocabulary_.tokens[id];
      if (text.size() > kLongestScoredToken) {
        return bad("tokens", concat("token ", id, " has ", text.size(), " bytes, above ", kLongestScoredToken));
      }
      for (size_t cut = 0; cut < text.size(); cut += utf8_length(text[cut])) {
        if (cut == 0) continue;
        const auto left = model.tokens().find(text.substr(0, cut));
        if (!left) continue;
        const auto right = model.tokens().find(text.substr(cut));
        if (right) model.add_merge(*left, *right, ranks[id], static_cast<int32_t>(id));
      }
    }
    TokenizerParts parts = finish(std::move(model), true);
    if (vocabulary_.add_space_prefix.value_or(true)) {
      parts.normalizer.emplace_back(PrependStep{std::string(kSpaceMark)});
    }
    parts.normalizer.emplace_back(ReplaceTextStep{" ", std::string(kSpaceMark)});
    parts.space_mark = std::string(kSpaceMark);
    return parts;
  }

  const GgufVocabulary& vocabulary_;
  std::string name_;
  TokenTable tokens_;
  std::vector<AddedToken> added_;
};

}  // namespace

Result<TokenizerParts> read_gguf_vocabulary(const GgufVocabulary& vocabulary, std::string name) {
  return Reader(vocabulary, std::move(name)).read();
}

}  // namespace scrooge::tokenizer
