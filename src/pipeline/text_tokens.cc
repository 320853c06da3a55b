// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/text_tokens.h"

#include "src/base/file_map.h"

namespace scrooge::pipeline {
namespace {
// Far above any calibration text; keeps a mistaken path (a disk image) from being read whole.
constexpr uint64_t kMaxTextBytes = uint64_t{1} << 30;
}  // namespace

Result<calibration::TokenRows> read_token_rows(const ModelSource& source, const TextOptions& options,
                                               CancelToken* cancel) {
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
    SCROOGE_ASSIGN_OR_RETURN(const std::string text, read_small_file(options.token_ids, kMaxTextBytes, cancel));
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                             calibration::parse_token_ids(text, options.token_ids, cancel));
    return calibration::cut_rows(ids, rows, options.token_ids);
  }
  SCROOGE_ASSIGN_OR_RETURN(const auto tokenizer, source.tokenizer());
  SCROOGE_ASSIGN_OR_RETURN(const std::string text, read_small_file(options.text, kMaxTextBytes, cancel));
  if (text.empty()) {
    return error(StatusCode::kBadText, options.text, ": the file is empty; give a text of at least ", options.length,
                 " tokens");
  }
  SCROOGE_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, tokenizer->encode(text, cancel));
  if (tokenizer->adds_bos()) rows.bos = tokenizer->bos();
  return calibration::cut_rows(ids, rows, options.text);
}

}  // namespace scrooge::pipeline
