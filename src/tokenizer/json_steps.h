// SPDX-License-Identifier: Apache-2.0
// The "normalizer" and "pre_tokenizer" members of tokenizer.json as lists of steps.
#pragma once

#include <string>
#include <vector>

#include "src/base/json.h"
#include "src/tokenizer/normalizer.h"
#include "src/tokenizer/pre_tokenizer.h"

namespace scrooge::tokenizer {

struct JsonSteps {
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  bool byte_level = false;  // the last pre-tokenizer is ByteLevel
  std::string space_mark;   // what replaces a space, if anything does
};

// `root` is the whole document. kUnknownTokenizer names a type that is not supported.
Result<JsonSteps> read_json_steps(const JsonValue& root);

}  // namespace scrooge::tokenizer
