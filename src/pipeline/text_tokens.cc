// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/text_tokens.h"

#include <functional>

#include "src/pipeline/text_pieces.h"
#include "src/tokenizer/bpe_model.h"

namespace scrooge::pipeline {
namespace {

using calibration::RowCutter;
using calibration::TokenRows;

// Far above any calibration text; keeps a mistaken path (a disk image) from being read whole.
constexpr uint64_t kMaxTextBytes = uint64_t{1} << 30;
// What tokenizing takes beside each byte of a piece, which may be one word: its symbols and their queue.
constexpr uint64_t kBytesBeside = 48;

// Of the fixed overhead of a process, what only a running job takes.
constexpr uint64_t kUnusedOverhead = uint64_t{16} << 20;

using Encode = std::function<Result<std::vector<int32_t>>(std::string_view piece, uint64_t offset)>;

// Rows are chosen among all: a first pass counts the ids of each piece, the second encodes those again that have some
// of a chosen row.
Status cut_chosen(TextPieces& pieces, const Encode& encode, RowCutter& cutter, CancelToken* cancel) {
  struct Piece {
    uint64_t bytes = 0;
    uint64_t ids = 0;
  };
  std::vector<Piece> index;
  uint64_t total = 0;
  for (;;) {
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view piece, pieces.next(cancel));
    if (piece.empty()) break;
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, encode(piece, pieces.offset()));
    SCROOGE_RETURN_IF_ERROR(cutter.check(ids, total));
    index.push_back({piece.size(), ids.size()});
    total += ids.size();
  }
  cutter.choose(total);
  pieces.rewind();
  for (const Piece& known : index) {
    if (!cutter.wants(known.ids)) {
      cutter.skip(known.ids);
      pieces.skip(known.bytes);
      continue;
    }
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view piece, pieces.next(cancel));
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, encode(piece, pieces.offset()));
    SCROOGE_RETURN_IF_ERROR(cutter.add(ids));
  }
  return {};
}

Result<TokenRows> cut(TextPieces& pieces, const Encode& encode, RowCutter& cutter, CancelToken* cancel) {
  if (cutter.needs_total()) {
    SCROOGE_RETURN_IF_ERROR(cut_chosen(pieces, encode, cutter, cancel));
  } else {
    while (!cutter.full()) {
      SCROOGE_ASSIGN_OR_RETURN(const std::string_view piece, pieces.next(cancel));
      if (piece.empty()) break;
      SCROOGE_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, encode(piece, pieces.offset()));
      SCROOGE_RETURN_IF_ERROR(cutter.add(ids));
    }
  }
  SCROOGE_RETURN_IF_ERROR(pieces.check_unchanged());
  return cutter.finish();
}

}  // namespace

Result<TokenRows> read_token_rows(const ModelSource& source, const TextOptions& options, uint64_t memory,
                                  CancelToken* cancel) {
  MemoryBudget budget(memory > MemoryBudget::kUnlimited - kUnusedOverhead ? memory : memory + kUnusedOverhead);
  if (options.text.empty() == options.token_ids.empty()) {
    return error(StatusCode::kInvalidArgument, options.text.empty()
                                                   ? "no text given; name a text file, or a file of token ids"
                                                   : "both a text and a file of token ids are given; name one of them");
  }
  calibration::RowOptions rows;
  rows.length = options.length;
  rows.max_rows = options.max_rows;
  rows.sampling = options.sampling;
  rows.seed = options.seed;
  rows.vocabulary = source.config().vocabulary;
  if (!options.token_ids.empty()) {
    SCROOGE_ASSIGN_OR_RETURN(RowCutter cutter, RowCutter::create(rows, options.token_ids, budget));
    SCROOGE_ASSIGN_OR_RETURN(
        TextPieces pieces,
        TextPieces::open(options.token_ids, {calibration::last_token_id_cut, sizeof(int32_t), kMaxTextBytes, {}},
                         budget));
    const Encode parse = [&](std::string_view piece, uint64_t offset) {
      return calibration::parse_token_ids(piece, options.token_ids, cancel, offset);
    };
    return cut(pieces, parse, cutter, cancel);
  }
  SCROOGE_ASSIGN_OR_RETURN(const auto tokenizer, source.tokenizer());
  const tokenizer::TextCuts& cuts = tokenizer->cuts();
  TextPieces::Options reading;
  reading.last_cut = [&](std::string_view text) { return cuts.last_in(text); };
  reading.bytes_beside = kBytesBeside;
  reading.limit = kMaxTextBytes;
  reading.advice = cuts.any() ? "or put line breaks into the text"
                              : "or give a shorter text: this model's tokenizer takes it as one piece";
  SCROOGE_ASSIGN_OR_RETURN(TextPieces pieces, TextPieces::open(options.text, std::move(reading), budget));
  if (pieces.size() == 0) {
    return error(StatusCode::kBadText, options.text, ": the file is empty; give a text of at least ", options.length,
                 " tokens");
  }
  if (tokenizer->adds_bos()) rows.bos = tokenizer->bos();
  SCROOGE_ASSIGN_OR_RETURN(RowCutter cutter, RowCutter::create(rows, options.text, budget));
  tokenizer::BpeScratch words;
  const Encode encode = [&](std::string_view piece, uint64_t offset) {
    return tokenizer->encode_part(piece, offset > 0, words, cancel);
  };
  return cut(pieces, encode, cutter, cancel);
}

}  // namespace scrooge::pipeline
