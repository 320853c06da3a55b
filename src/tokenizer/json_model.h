// SPDX-License-Identifier: Apache-2.0
// The "model" and "added_tokens" members of tokenizer.json.
#pragma once

#include <vector>

#include "src/base/json.h"
#include "src/tokenizer/added_tokens.h"
#include "src/tokenizer/bpe_model.h"

namespace scrooge::tokenizer {

// `byte_level`: the pre-tokenizer ends with ByteLevel. kUnknownTokenizer for other models than BPE and for its options
// that change the symbols (subword prefixes and suffixes, dropout).
Result<BpeModel> read_bpe_model(const JsonValue& model, bool byte_level);

// Ids follow Hugging Face's rule (the vocabulary's id, or the next free one); a file that disagrees is kBadTokenizer.
Result<std::vector<AddedToken>> read_added_tokens(const JsonValue& added_tokens, const TokenTable& vocabulary);

// A boolean member, `fallback` when absent or null.
Result<bool> read_flag(const JsonValue& object, std::string_view key, bool fallback);

// The same merge rules for both formats: `left` and `right` must be tokens and so must their concatenation.
Status add_text_merge(BpeModel& model, std::string_view left, std::string_view right, uint32_t rank,
                      std::string_view where);

}  // namespace scrooge::tokenizer
