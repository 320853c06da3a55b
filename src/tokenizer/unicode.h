// SPDX-License-Identifier: Apache-2.0
// UTF-8 text and the few character properties that tokenizers ask for. Pure functions; safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace scrooge::tokenizer {

// Length in bytes of the character that starts with `lead`. REQUIRES: a lead byte of valid UTF-8.
inline size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// The character at `position`. REQUIRES: valid UTF-8 and a character boundary below text.size().
char32_t utf8_decode(std::string_view text, size_t position);
void append_utf8(std::string& out, char32_t character);

// The number of bytes at the start of `text` that are valid UTF-8 (surrogates and overlong forms are not).
size_t valid_utf8_prefix(std::string_view text);
// Every maximal part that is not UTF-8 becomes one U+FFFD, as Unicode recommends and Python's errors="replace" does.
std::string repair_utf8(std::string_view text);

// The White_Space property: what \s means to Hugging Face's two pattern engines.
bool is_white_space(char32_t character);
// General category N*.
bool is_numeric(char32_t character);
// What \w means: alphabetic, mark, decimal number, connector, joiner.
bool is_word(char32_t character);

// Canonical composition (NFC). Linear in the text, also for long runs of combining marks. REQUIRES: valid UTF-8.
std::string compose_nfc(std::string_view text);

}  // namespace scrooge::tokenizer
