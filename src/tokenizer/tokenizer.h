// SPDX-License-Identifier: Apache-2.0
// Text to token ids and back, with the ids of Hugging Face's `tokenizers`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/cancel.h"
#include "src/base/result.h"
#include "src/tokenizer/text_cuts.h"

namespace scrooge::tokenizer {

class BpeScratch;

// The vocabulary of a GGUF file as its metadata holds it; the caller fills it from the keys tokenizer.ggml.*.
struct GgufVocabulary {
  std::string model;  // "gpt2" or "llama"
  std::string pre;    // required for "gpt2": "smollm", "llama-bpe", "qwen2", "gpt-2", ...
  std::vector<std::string> tokens;
  std::vector<float> scores;        // as long as tokens for "llama"
  std::vector<int32_t> types;       // empty, or as long as tokens
  std::vector<std::string> merges;  // "left right", for "gpt2"
  std::optional<int32_t> bos, eos, unknown;
  std::optional<bool> add_bos, add_eos, add_space_prefix;
};

// Immutable; every const member may be called from several threads at once.
class Tokenizer {
 public:
  // `tokenizer_json` and, unless empty, `tokenizer_config_json` are the contents of the files of these names; `name`
  // stands for the former in messages. kUnknownTokenizer names a model type, normalizer, pre-tokenizer or pattern
  // syntax this version does not know; kBadTokenizer names the file and field that is malformed.
  static Result<std::unique_ptr<Tokenizer>> from_json(std::string_view tokenizer_json,
                                                      std::string_view tokenizer_config_json, std::string name);
  // The same errors. An empty or unknown `pre` is kUnknownTokenizer, never a guess.
  static Result<std::unique_ptr<Tokenizer>> from_gguf(GgufVocabulary vocabulary, std::string name);

  ~Tokenizer();

  // Ids of `utf8`, as encode(add_special_tokens=False): added and special tokens inside the text are recognized, none
  // is put around it. Each maximal part that is not UTF-8 counts as U+FFFD. kBadText above 1 GiB, kBadTokenizer when a
  // pattern backtracks without end on this text; kCancelled.
  Result<std::vector<int32_t>> encode(std::string_view utf8, CancelToken* cancel = nullptr) const;
  // The same of a part of a text that was cut at places of cuts(): the ids of all parts are then those of the whole.
  // `goes_on`: it is not the first. `words` remembers, some megabytes at most, what words of earlier parts gave.
  Result<std::vector<int32_t>> encode_part(std::string_view utf8, bool goes_on, BpeScratch& words,
                                           CancelToken* cancel = nullptr) const;
  const TextCuts& cuts() const;
  // The bytes of the tokens one after the other, space marks as spaces (the one a tokenizer puts in front included).
  // kBadText for an id without a token.
  Result<std::string> decode(std::span<const int32_t> ids) const;

  // Highest id + 1.
  int32_t vocabulary_size() const;
  // The beginning-of-sequence id, if the model has one.
  std::optional<int32_t> bos() const;
  // Whether encoding with special tokens starts with bos(): the tokenizer's own rule.
  bool adds_bos() const;
  // The token as the vocabulary writes it, or nothing.
  std::optional<std::string> token_text(int32_t id) const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<const State> state);
  static Result<std::unique_ptr<Tokenizer>> assemble(struct TokenizerParts parts);

  std::unique_ptr<const State> state_;
};

}  // namespace scrooge::tokenizer
