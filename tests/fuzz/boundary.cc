// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/boundary.h"

#include <algorithm>
#include <iterator>

namespace scrooge::fuzz {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

uint64_t load(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return value;
}

// A new value for a number that is there: a boundary, or the old one's neighbour, multiple or negative.
uint64_t changed(uint64_t old, Random& random, uint64_t size) {
  switch (random.below(8)) {
    case 0: return old + 1;
    case 1: return old - 1;
    case 2: return old * 2;
    case 3: return ~old + 1;
    case 4: return old ^ (uint64_t{1} << random.below(64));
    default: return boundary_value(random, size);
  }
}

void plant_binary(std::string& text, Random& random) {
  static constexpr size_t kWidths[] = {1, 2, 4, 4, 8, 8, 8};
  const size_t width = std::min(kWidths[random.below(std::size(kWidths))], text.size());
  size_t at = random.below(text.size() - width + 1);
  if (random.below(2) == 0) at -= at % width;
  uint64_t value = changed(load(std::string_view(text).substr(at, width)), random, text.size());
  for (size_t i = 0; i < width; ++i, value >>= 8) text[at + i] = static_cast<char>(value & 0xff);
}

// The end of the JSON value that begins at `at`: the comma or bracket after it.
size_t value_end(std::string_view text, size_t at) {
  int depth = 0;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      quoted = c != '"';
      continue;
    }
    quoted = c == '"';
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth < 0 || (depth == 0 && (c == ',' || c == ']' || c == '}'))) return c == ',' ? at : at + (depth == 0);
  }
  return text.size();
}

std::string json_value(Random& random, uint64_t size) {
  static constexpr std::string_view kOthers[] = {"-1",
                                                 "-0",
                                                 "1.0",
                                                 "1e3",
                                                 "1e999",
                                                 "-1e999",
                                                 "\"1\"",
                                                 "\"\"",
                                                 "null",
                                                 "true",
                                                 "[]",
                                                 "{}",
                                                 "[0]",
                                                 "[[]]",
                                                 "{\"\":0}",
                                                 "\"\\u0000\"",
                                                 "\"\\ud800\"",
                                                 "\"..\"",
                                                 "\"/dev/zero\"",
                                                 "18446744073709551616",
                                                 "9007199254740993",
                                                 "-9223372036854775808",
                                                 "-9223372036854775809",
                                                 "0.1",
                                                 "1e-400"};
  if (random.below(2) == 0) return std::to_string(boundary_value(random, size));
  return std::string(kOthers[random.below(std::size(kOthers))]);
}

void plant_json(std::string& text, Random& random) {
  // Where values begin: after a colon, comma or opening bracket.
  std::vector<size_t> starts;
  std::vector<size_t> numbers;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == ':' || text[i] == ',' || text[i] == '[') starts.push_back(i + 1);
    if (!is_digit(text[i]) && is_digit(text[i + 1])) numbers.push_back(i + 1);
  }
  if (!numbers.empty() && random.below(2) == 0) {
    const size_t at = numbers[random.below(numbers.size())];
    size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    text.replace(at, end - at, json_value(random, text.size()));
    return;
  }
  if (starts.empty()) return plant_binary(text, random);
  const size_t at = starts[random.below(starts.size())];
  const size_t end = std::max(at, value_end(text, at));
  const std::string value = text.substr(at, end - at);
  switch (random.below(4)) {
    case 0: text.replace(at, end - at, json_value(random, text.size())); break;
    case 1: text.insert(at, value + ","); break;  // once more
    case 2: text.erase(at, end - at + (end < text.size() && text[end] == ',')); break;
    default: {
      const size_t other = starts[random.below(starts.size())];
      const size_t other_end = std::max(other, value_end(text, other));
      text.replace(at, end - at, std::string(text, other, other_end - other));
    }
  }
}

void plant_text(std::string& text, Random& random) {
  static constexpr std::string_view kPieces[] = {"\xff",
                                                 "\xed\xa0\x80",
                                                 "\xc0\xaf",
                                                 "\xf4\x90\x80\x80",
                                                 "\xef\xbb\xbf",
                                                 "\xf0\x9f\x98\x80",
                                                 "\xcc\x81",
                                                 "\r\n",
                                                 " ",
                                                 "0",
                                                 "2147483648",
                                                 "-1",
                                                 "(",
                                                 ")",
                                                 "*",
                                                 "{1000}",
                                                 "[^",
                                                 "]",
                                                 "\\p{L}",
                                                 "|",
                                                 "<0x0A>",
                                                 "<|endoftext|>",
                                                 "\xe2\x96\x81"};
  const std::string_view piece = kPieces[random.below(std::size(kPieces))];
  const size_t at = random.below(text.size() + 1);
  switch (random.below(3)) {
    case 0: text.insert(at, piece); break;
    case 1: text.replace(at, std::min<size_t>(piece.size(), text.size() - at), piece); break;
    default: {
      const size_t length = random.below(text.size() - at + 1);
      text.insert(at, std::string(text, at, length));
    }
  }
}

}  // namespace

uint64_t boundary_value(Random& random, uint64_t size) {
  static constexpr uint64_t kValues[] = {0,
                                         1,
                                         2,
                                         7,
                                         8,
                                         31,
                                         32,
                                         33,
                                         64,
                                         127,
                                         128,
                                         255,
                                         256,
                                         257,
                                         4095,
                                         4096,
                                         4097,
                                         16383,
                                         16384,
                                         16385,
                                         65535,
                                         65536,
                                         (1ull << 31) - 1,
                                         1ull << 31,
                                         (1ull << 32) - 1,
                                         1ull << 32,
                                         (1ull << 32) + 1,
                                         (1ull << 53) + 1,
                                         1ull << 61,
                                         (1ull << 62) + 1,
                                         (1ull << 63) - 1,
                                         1ull << 63,
                                         ~0ull - 31,
                                         ~0ull - 7,
                                         ~0ull - 1,
                                         ~0ull};
  const uint64_t choice = random.below(std::size(kValues) + 4);
  switch (choice) {
    case std::size(kValues): return size - 1;
    case std::size(kValues) + 1: return size;
    case std::size(kValues) + 2: return size + 1;
    case std::size(kValues) + 3: return random.below(size + 1);
    default: return kValues[choice];
  }
}

std::string plant(std::string_view input, InputKind kind, Random& random) {
  std::string text(input);
  if (text.empty()) return std::string(1 + random.below(16), '\0');
  const uint64_t way = random.below(16);
  if (way == 0) {  // cut short
    text.resize(random.below(text.size()));
  } else if (way == 1) {  // a stretch doubled
    const size_t at = random.below(text.size());
    text.insert(at, std::string(text, at, 1 + random.below(64)));
  } else if (way == 2) {  // or dropped
    text.erase(random.below(text.size()), 1 + random.below(16));
  } else if (kind == InputKind::kBinary) {
    plant_binary(text, random);
  } else if (kind == InputKind::kJson) {
    plant_json(text, random);
  } else {
    plant_text(text, random);
  }
  return text;
}

}  // namespace scrooge::fuzz
