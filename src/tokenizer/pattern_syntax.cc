// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/pattern_syntax.h"

#include <cctype>

namespace scrooge::tokenizer {

namespace {

// PCRE2's \s holds U+180E, which left White_Space in Unicode 6.3; so the sets are spelled out.
constexpr std::string_view kSpace =
    "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";
constexpr std::string_view kNotSpace =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}";
constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";

bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool is_ascii_alnum(char c) {
  return static_cast<unsigned char>(c) < 0x80 && std::isalnum(static_cast<unsigned char>(c));
}

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  Result<std::string> run() {
    while (position_ < pattern_.size()) {
      const char c = pattern_[position_];
      Status status;
      if (c == '\\') {
        status = escape();
      } else if (in_class_) {
        status = class_character();
      } else if (c == '[') {
        open_class();
      } else if (c == '(') {
        status = open_group();
      } else if (c == '}' && next() == '+') {
        // Ruby reads {n}+ as a repeated repeat, PCRE2 as possessive.
        status = refuse("an interval followed by +");
      } else {
        copy(1);
      }
      if (!status.ok()) return status;
    }
    return std::move(out_);
  }

 private:
  char next(size_t distance = 1) const {
    return position_ + distance < pattern_.size() ? pattern_[position_ + distance] : '\0';
  }
  void copy(size_t count) {
    out_.append(pattern_.substr(position_, count));
    position_ += count;
  }
  void replace(size_t count, std::string_view text) {
    out_.append(text);
    position_ += count;
  }
  Status refuse(std::string_view what) const {
    return error(StatusCode::kUnknownTokenizer, "the pattern \"", printable(pattern_), "\" uses ", what, " at offset ",
                 position_, ", which this version does not know");
  }

  void open_class() {
    in_class_ = true;
    copy(1);
    if (position_ < pattern_.size() && pattern_[position_] == '^') copy(1);
    // A first "]" is a literal in both dialects.
    if (position_ < pattern_.size() && pattern_[position_] == ']') replace(1, "\\]");
  }

  Status class_character() {
    const char c = pattern_[position_];
    if (c == '[') return refuse("a set inside a set");
    if (c == '&' && next() == '&') return refuse("a set intersection");
    if (c == ']') in_class_ = false;
    copy(1);
    return {};
  }

  Status open_group() {
    if (next() != '?') {
      if (next() == '*') return refuse("a verb");
      copy(1);
      return {};
    }
    const char kind = next(2);
    if (kind == ':' || kind == '=' || kind == '!' || kind == '>') {
      copy(3);
      return {};
    }
    if (kind == '<' && (next(3) == '=' || next(3) == '!')) {
      copy(4);
      return {};
    }
    if (kind == 'i' && (next(3) == ':' || next(3) == ')')) {
      copy(4);
      return {};
    }
    return refuse("a group of this kind");
  }

  Status escape() {
    const char c = next();
    if (position_ + 1 >= pattern_.size()) return refuse("a trailing backslash");
    switch (c) {
      case 's': replace(2, in_class_ ? std::string(kSpace) : concat("[", kSpace, "]")); return {};
      case 'S': replace(2, in_class_ ? std::string(kNotSpace) : concat("[^", kSpace, "]")); return {};
      case 'w': replace(2, in_class_ ? std::string(kWord) : concat("[", kWord, "]")); return {};
      case 'W':
        if (in_class_) return refuse("\\W inside a set");
        replace(2, concat("[^", kWord, "]"));
        return {};
      case 'v': replace(2, "\\x{b}"); return {};
      case 'd':
      case 'D':
      case 'n':
      case 'r':
      case 't':
      case 'f':
      case 'a':
      case 'e': copy(2); return {};
      case 'p':
      case 'P': return property();
      case 'x':
      case 'u': return numeric_escape(c);
      default: break;
    }
    if (is_ascii_alnum(c)) return refuse(concat("\\", c));
    copy(1);
    copy(1);
    return {};
  }

  Status property() {
    const size_t end = pattern_.find('}', position_);
    if (next(2) != '{' || end == std::string_view::npos) return refuse("a property without braces");
    copy(end + 1 - position_);
    return {};
  }

  Status numeric_escape(char kind) {
    if (kind == 'x' && next(2) == '{') {
      const size_t end = pattern_.find('}', position_);
      if (end == std::string_view::npos) return refuse("an incomplete \\x");
      copy(end + 1 - position_);
      return {};
    }
    const size_t wanted = kind == 'x' ? 2 : 4;
    std::string digits;
    while (digits.size() < wanted && is_hex(next(2 + digits.size()))) digits.push_back(next(2 + digits.size()));
    if (digits.size() != wanted) return refuse(concat("an incomplete \\", kind));
    // Two digits above 7f are a raw byte to Oniguruma.
    if (kind == 'x' && digits[0] > '7') return refuse("a byte escape");
    replace(2 + wanted, concat("\\x{", digits, "}"));
    return {};
  }

  std::string_view pattern_;
  size_t position_ = 0;
  bool in_class_ = false;
  std::string out_;
};

}  // namespace

Result<std::string> translate_pattern(std::string_view pattern) { return Translator(pattern).run(); }

std::string quote_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && !is_ascii_alnum(c)) {
      // NUL cannot follow a backslash portably; every other ASCII sign can.
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        static constexpr char kHex[] = "0123456789abcdef";
        out.append(concat("\\x{", kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15], "}"));
        continue;
      }
      out.push_back('\\');
    }
    out.push_back(c);
  }
  return out;
}

}  // namespace scrooge::tokenizer
