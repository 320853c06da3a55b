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

// The text is tokenized once, as a whole, without special tokens; rows begin with BOS where the model's tokenizer says
// so. Ids are taken as they are. kMissingTokenizer, kBadText, kSourceChanged, kCancelled; kInvalidArgument when none or
// both paths are given.
Result<calibration::TokenRows> read_token_rows(const ModelSource& source, const TextOptions& options,
                                               CancelToken* cancel = nullptr);

}  // namespace scrooge::pipeline
