// SPDX-License-Identifier: Apache-2.0
// Hugging Face's pattern engine knows Unicode 16, the PCRE2 of today's distributions Unicode 14. Characters assigned in
// between would be split differently, so a text that holds one is matched through a copy in which each is replaced by
// an older character of the same category and length: every offset stays the same.
#pragma once

#include <string>
#include <string_view>

namespace scrooge::tokenizer {

// The copy, or an empty string when `text` holds no such character. REQUIRES: valid UTF-8.
std::string replace_newer_characters(std::string_view text);

// Whether a character assigned since Unicode 14 is a number.
bool is_newer_number(char32_t character);
// Whether one is a letter, a mark or a decimal digit.
bool is_newer_word(char32_t character);

}  // namespace scrooge::tokenizer
