// SPDX-License-Identifier: Apache-2.0
// From a text file, or a file of token ids, to rows of tokens.
#pragma once

#include <string>

#include "src/calibration/token_rows.h"
#include "src/pipeline/model_source.h"

namespace scrooge::pipeline {

struct TextOptions {
  std::string text;       // path; one of the two is given
  std::string token_ids;  // path
  int64_t length = 0;
  int64_t max_rows = 0;  // 0: all
  calibration::Sampling sampling = calibration::Sampling::kFirst;
  uint64_t seed = 0;
};

// The ids are those of the text as a whole, without special tokens; rows begin with BOS where the model's tokenizer
// says so. Ids are taken as they are. Where the first rows are taken, nothing behind them is read.
//
// The text is read and tokenized in pieces. They, what tokenizing takes and the ids stay below `memory`, which is the
// job's budget, and the part of the fixed overhead that is not in use before a job runs. Where the tokenizer's rules do
// not say where a text may be cut (tokenizer/text_cuts.h) the whole is one piece, and kBudgetExceeded names it when
// there is no room for it. kMissingTokenizer, kBadText, kSourceChanged, kCancelled; kInvalidArgument when none or both
// paths are given.
Result<calibration::TokenRows> read_token_rows(const ModelSource& source, const TextOptions& options, uint64_t memory,
                                               CancelToken* cancel = nullptr);

}  // namespace scrooge::pipeline
