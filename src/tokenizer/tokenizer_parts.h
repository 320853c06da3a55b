// SPDX-License-Identifier: Apache-2.0
// What the readers of the two formats hand over: a tokenizer taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/tokenizer/added_tokens.h"
#include "src/tokenizer/bpe_model.h"
#include "src/tokenizer/normalizer.h"
#include "src/tokenizer/pre_tokenizer.h"
#include "src/tokenizer/tokenizer.h"

namespace scrooge::tokenizer {

// U+2581, the character that stands for a space in SentencePiece vocabularies.
inline constexpr std::string_view kSpaceMark = "\xe2\x96\x81";

struct TokenizerParts {
  std::string name;  // of the file, for messages
  BpeModel model;
  std::vector<AddedToken> added_tokens;  // contents distinct, ids those of the model where it has the content
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  std::string space_mark;  // empty when spaces are spaces
  std::optional<int32_t> bos;
  bool adds_bos = false;
};

Result<TokenizerParts> read_tokenizer_json(std::string_view tokenizer_json, std::string_view tokenizer_config_json,
                                           std::string name);
Result<TokenizerParts> read_gguf_vocabulary(const GgufVocabulary& vocabulary, std::string name);

}  // namespace scrooge::tokenizer
