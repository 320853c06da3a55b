// SPDX-License-Identifier: Apache-2.0
// Byte-pair encoding of one word: symbols, then merges by rank. One model serves byte-level vocabularies (a symbol is
// a byte) and character vocabularies with byte fallback (a symbol is a character).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/base/cancel.h"
#include "src/base/result.h"
#include "src/tokenizer/merge_table.h"
#include "src/tokenizer/token_table.h"

namespace scrooge::tokenizer {

struct BpeOptions {
  bool byte_level = false;     // words are raw bytes; the vocabulary writes them in the byte alphabet
  bool ignore_merges = false;  // a word that is a token is that token
  bool byte_fallback = false;  // an unknown character becomes its <0xHH> tokens when all of them exist
  bool fuse_unknown = false;   // neighbouring unknown characters give one unknown token
  std::optional<std::string> unknown = std::nullopt;  // without it unknown characters vanish
};

// Working memory of the encode calls of one text: the queue and symbols of a word, and the words already done.
class BpeScratch {
 private:
  friend class BpeModel;
  struct Symbol {
    int32_t id;
    int32_t previous;
    int32_t next;
  };
  std::vector<Symbol> symbols;
  std::vector<uint64_t> queue;                                       // rank << 32 | position
  std::unordered_map<std::string, std::pair<size_t, size_t>> words;  // ranges of `ids`
  std::vector<int32_t> ids;
  std::string key;
};

// Immutable once built; const members are safe from several threads, each with its own scratch.
class BpeModel {
 public:
  // Merges come later through add_merge. `tokens` are as the vocabulary writes them.
  BpeModel(TokenTable tokens, BpeOptions options);

  const TokenTable& tokens() const { return tokens_; }
  const BpeOptions& options() const { return options_; }

  // REQUIRES: the three ids are tokens.
  void add_merge(int32_t left, int32_t right, uint32_t rank, int32_t result);

  // Appends the ids of one word. REQUIRES: valid UTF-8 unless byte_level, shorter than 2^31 bytes.
  // kBadTokenizer when an unknown character needs an unknown token that the vocabulary lacks; kCancelled, which a long
  // word asks about on the way.
  Status encode_word(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& out,
                     CancelToken* cancel = nullptr) const;

  // A newline is one symbol that no merge takes in, and no unknown token waits across it: what comes before one in a
  // word and what comes behind give the ids that they give alone.
  bool newline_stands_alone() const;

  // The bytes a token stands for in text: the byte alphabet undone, <0xHH> undone. Space marks stay.
  std::string token_bytes(int32_t id) const;

 private:
  Status fill_symbols(std::string_view word, BpeScratch& scratch, CancelToken* cancel) const;
  Status merge(BpeScratch& scratch, CancelToken* cancel) const;

  TokenTable tokens_;
  BpeOptions options_;
  std::array<int32_t, 256> byte_ids_;  // byte_level: the byte's own token; otherwise its <0xHH> token; -1 when missing
  TokenTable words_;                   // ignore_merges with byte_level: tokens by the raw bytes they stand for
  MergeTable merges_;
  std::optional<int32_t> unknown_id_;
};

// "<0x0A>" for 10, as SentencePiece vocabularies write it.
std::string byte_token(unsigned char byte);

}  // namespace scrooge::tokenizer
