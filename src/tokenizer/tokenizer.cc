// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/tokenizer.h"

#include <algorithm>

#include "src/tokenizer/tokenizer_parts.h"
#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

constexpr size_t kLongestText = size_t{1} << 30;

}  // namespace

struct Tokenizer::State {
  explicit State(TokenizerParts all) : parts(std::move(all)) {}

  TokenizerParts parts;
  TokenTable added;                      // ids and contents of the added tokens
  AddedTokenMatcher raw_matcher;         // looked for in the text as it is
  AddedTokenMatcher normalized_matcher;  // looked for after normalization
  TextCuts cuts;
};

Tokenizer::Tokenizer(std::unique_ptr<const State> state) : state_(std::move(state)) {}
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_json(std::string_view tokenizer_json,
                                                        std::string_view tokenizer_config_json, std::string name) {
  SCROOGE_ASSIGN_OR_RETURN(auto parts, read_tokenizer_json(tokenizer_json, tokenizer_config_json, std::move(name)));
  return assemble(std::move(parts));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_gguf(GgufVocabulary vocabulary, std::string name) {
  SCROOGE_ASSIGN_OR_RETURN(auto parts, read_gguf_vocabulary(vocabulary, std::move(name)));
  return assemble(std::move(parts));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::assemble(TokenizerParts parts) {
  auto state = std::make_unique<State>(std::move(parts));
  auto& tokens = state->parts.added_tokens;
  for (const AddedToken& token : tokens) {
    if (state->added.insert(token.id, token.content) != TokenTable::Insert::kAdded) {
      return error(StatusCode::kBadTokenizer, state->parts.name, ": added token \"", printable(token.content),
                   "\" (id ", token.id, ") is there twice or its id is out of range");
    }
  }
  // Of two tokens with one normalized form Hugging Face finds the special one.
  std::stable_partition(tokens.begin(), tokens.end(), [](const AddedToken& token) { return token.special; });
  for (const AddedToken& token : tokens) {
    if (token.normalized) {
      SCROOGE_ASSIGN_OR_RETURN(const std::string pattern, normalize(state->parts.normalizer, token.content));
      state->normalized_matcher.add(pattern, token);
    } else {
      state->raw_matcher.add(token.content, token);
    }
  }
  state->cuts = TextCuts::of(state->parts);
  return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(state)));
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view utf8, CancelToken* cancel) const {
  BpeScratch words;
  return encode_part(utf8, false, words, cancel);
}

Result<std::vector<int32_t>> Tokenizer::encode_part(std::string_view utf8, bool goes_on, BpeScratch& words,
                                                    CancelToken* cancel) const {
  const TokenizerParts& parts = state_->parts;
  if (utf8.size() > kLongestText) {
    return error(StatusCode::kBadText, "a text of ", utf8.size(), " bytes is above the limit of ", kLongestText,
                 "; encode it in pieces");
  }
  std::string repaired;
  if (valid_utf8_prefix(utf8) != utf8.size()) {
    repaired = repair_utf8(utf8);
    utf8 = repaired;
  }
  std::vector<int32_t> ids;
  PreTokenizer pre_tokenizer(parts.pre_tokenizer);
  uint64_t count = 0;
  const PreTokenizer::Sink sink = [&](std::string_view word) -> Status {
    constexpr uint64_t kWords = 4096;  // a few milliseconds
    if (++count % kWords == 0) SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    return parts.model.encode_word(word, words, ids, cancel);
  };
  SCROOGE_ASSIGN_OR_RETURN(const auto segments, state_->raw_matcher.split(utf8, cancel));
  for (const auto& segment : segments) {
    if (segment.id >= 0) {
      ids.push_back(segment.id);
      continue;
    }
    using Before = PreTokenizer::Before;
    const bool at_start = segment.text.data() == utf8.data();
    const Before before = !at_start ? Before::kOther : goes_on ? Before::kText : Before::kNothing;
    std::string normalized;
    std::string_view text = segment.text;
    if (!parts.normalizer.empty()) {
      auto result = normalize(parts.normalizer, text, before == Before::kText);
      if (!result.ok()) return result.status().with_context(parts.name);
      normalized = std::move(*result);
      text = normalized;
    }
    SCROOGE_ASSIGN_OR_RETURN(const auto pieces, state_->normalized_matcher.split(text, cancel));
    for (const auto& piece : pieces) {
      if (piece.id >= 0) {
        ids.push_back(piece.id);
        continue;
      }
      const bool first = piece.text.data() == text.data();
      const Status status = pre_tokenizer.run(piece.text, first ? before : Before::kOther, sink);
      if (!status.ok()) return status.with_context(parts.name);
    }
  }
  return ids;
}

const TextCuts& Tokenizer::cuts() const { return state_->cuts; }

Result<std::string> Tokenizer::decode(std::span<const int32_t> ids) const {
  std::string out;
  for (const int32_t id : ids) {
    if (const auto content = state_->added.text(id)) {
      out.append(*content);
      continue;
    }
    const BpeModel& model = state_->parts.model;
    if (!model.tokens().text(id)) {
      return error(StatusCode::kBadText, state_->parts.name, ": token id ", id, " is not in the vocabulary of ",
                   vocabulary_size());
    }
    std::string bytes = model.token_bytes(id);
    const std::string& mark = state_->parts.space_mark;
    if (!mark.empty()) {
      for (size_t hit = bytes.find(mark); hit != std::string::npos; hit = bytes.find(mark, hit + 1)) {
        bytes.replace(hit, mark.size(), " ");
      }
    }
    out.append(bytes);
  }
  return out;
}

int32_t Tokenizer::vocabulary_size() const {
  return std::max(state_->parts.model.tokens().id_limit(), state_->added.id_limit());
}

std::optional<int32_t> Tokenizer::bos() const { return state_->parts.bos; }

bool Tokenizer::adds_bos() const { return state_->parts.adds_bos; }

std::optional<std::string> Tokenizer::token_text(int32_t id) const {
  auto text = state_->added.text(id);
  if (!text) text = state_->parts.model.tokens().text(id);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

}  // namespace scrooge::tokenizer
