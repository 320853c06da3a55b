// SPDX-License-Identifier: Apache-2.0
// The 256 printable characters that stand for bytes in byte-level vocabularies (GPT-2's alphabet).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace scrooge::tokenizer {

// The character that stands for `byte`, in UTF-8.
std::string byte_to_alphabet(unsigned char byte);

// The bytes that `text` stands for; nothing when a character is outside the alphabet. REQUIRES: valid UTF-8.
std::optional<std::string> alphabet_to_bytes(std::string_view text);

}  // namespace scrooge::tokenizer
