// SPDX-License-Identifier: Apache-2.0
// What happens to the plain text between added tokens before it is cut into words.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/base/result.h"
#include "src/tokenizer/pattern.h"

namespace scrooge::tokenizer {

struct NfcStep {};
// Text in front of every non-empty piece.
struct PrependStep {
  std::string text;
};
struct ReplaceTextStep {
  std::string from;  // not empty
  std::string to;
};
struct ReplacePatternStep {
  Pattern pattern;
  std::string to;  // literal: no references to groups
};
using NormalizerStep = std::variant<NfcStep, PrependStep, ReplaceTextStep, ReplacePatternStep>;

// Applies the steps in order; nothing is put in front of a text that goes on where an earlier one ended. REQUIRES:
// valid UTF-8. kBadTokenizer when a pattern takes too many steps.
Result<std::string> normalize(const std::vector<NormalizerStep>& steps, std::string_view text, bool goes_on = false);

}  // namespace scrooge::tokenizer
