// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

constexpr size_t kHighest = 0x144;  // one past U+0143: the 68 bytes that are not printable start at U+0100

constexpr bool is_printable(int byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
}

struct Tables {
  std::array<char32_t, 256> to_character{};
  std::array<int16_t, kHighest> to_byte{};
};

constexpr Tables make_tables() {
  Tables tables;
  for (auto& entry : tables.to_byte) entry = -1;
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const char32_t character = is_printable(byte) ? static_cast<char32_t>(byte) : next++;
    tables.to_character[static_cast<size_t>(byte)] = character;
    tables.to_byte[character] = static_cast<int16_t>(byte);
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::string byte_to_alphabet(unsigned char byte) {
  std::string out;
  append_utf8(out, kTables.to_character[byte]);
  return out;
}

std::optional<std::string> alphabet_to_bytes(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t position = 0; position < text.size(); position += utf8_length(text[position])) {
    const char32_t character = utf8_decode(text, position);
    if (character >= kHighest || kTables.to_byte[character] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kTables.to_byte[character]));
  }
  return bytes;
}

}  // namespace scrooge::tokenizer
