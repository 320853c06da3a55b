// SPDX-License-Identifier: Apache-2.0
// Hugging Face patterns are written for Oniguruma (Ruby syntax). This rewrites them for PCRE2 where the two dialects
// give one escape different meanings, and refuses what it cannot carry over exactly.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace scrooge::tokenizer {

// kUnknownTokenizer, naming the construct, for syntax outside the shared subset. The result still has to be compiled.
Result<std::string> translate_pattern(std::string_view pattern);

// A pattern that matches exactly `text`.
std::string quote_pattern(std::string_view text);

}  // namespace scrooge::tokenizer
