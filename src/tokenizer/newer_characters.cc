// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/newer_characters.h"

#include <algorithm>
#include <iterator>

#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

enum Kind : unsigned char { kOther, kUpper, kLower, kMark, kDecimal, kNumber, kPunctuation, kSymbol };

struct Range {
  char32_t first;
  char32_t last;
  Kind kind;
};

// Unicode 15, 15.1 and 16, ascending.
constexpr Range kRanges[] = {{0x897, 0x897, kMark},
                             {0xcf3, 0xcf3, kMark},
                             {0xece, 0xece, kMark},
                             {0x1b4e, 0x1b4f, kPunctuation},
                             {0x1b7f, 0x1b7f, kPunctuation},
                             {0x1c89, 0x1c89, kUpper},
                             {0x1c8a, 0x1c8a, kLower},
                             {0x2427, 0x2429, kSymbol},
                             {0x2ffc, 0x2fff, kSymbol},
                             {0x31e4, 0x31e5, kSymbol},
                             {0x31ef, 0x31ef, kSymbol},
                             {0xa7cb, 0xa7cc, kUpper},
                             {0xa7cd, 0xa7cd, kLower},
                             {0xa7da, 0xa7da, kUpper},
                             {0xa7db, 0xa7db, kLower},
                             {0xa7dc, 0xa7dc, kUpper},
                             {0x105c0, 0x105f3, kOther},
                             {0x10d40, 0x10d49, kDecimal},
                             {0x10d4a, 0x10d4f, kOther},
                             {0x10d50, 0x10d65, kUpper},
                             {0x10d69, 0x10d6d, kMark},
                             {0x10d6e, 0x10d6e, kPunctuation},
                             {0x10d6f, 0x10d6f, kOther},
                             {0x10d70, 0x10d85, kLower},
                             {0x10d8e, 0x10d8f, kSymbol},
                             {0x10ec2, 0x10ec4, kOther},
                             {0x10efc, 0x10eff, kMark},
                             {0x1123f, 0x11240, kOther},
                             {0x11241, 0x11241, kMark},
                             {0x11380, 0x11389, kOther},
                             {0x1138b, 0x1138b, kOther},
                             {0x1138e, 0x1138e, kOther},
                             {0x11390, 0x113b5, kOther},
                             {0x113b7, 0x113b7, kOther},
                             {0x113b8, 0x113c0, kMark},
                             {0x113c2, 0x113c2, kMark},
                             {0x113c5, 0x113c5, kMark},
                             {0x113c7, 0x113ca, kMark},
                             {0x113cc, 0x113d0, kMark},
                             {0x113d1, 0x113d1, kOther},
                             {0x113d2, 0x113d2, kMark},
                             {0x113d3, 0x113d3, kOther},
                             {0x113d4, 0x113d5, kPunctuation},
                             {0x113d7, 0x113d8, kPunctuation},
                             {0x113e1, 0x113e2, kMark},
                             {0x116d0, 0x116e3, kDecimal},
                             {0x11b00, 0x11b09, kPunctuation},
                             {0x11bc0, 0x11be0, kOther},
                             {0x11be1, 0x11be1, kPunctuation},
                             {0x11bf0, 0x11bf9, kDecimal},
                             {0x11f00, 0x11f01, kMark},
                             {0x11f02, 0x11f02, kOther},
                             {0x11f03, 0x11f03, kMark},
                             {0x11f04, 0x11f10, kOther},
                             {0x11f12, 0x11f33, kOther},
                             {0x11f34, 0x11f3a, kMark},
                             {0x11f3e, 0x11f42, kMark},
                             {0x11f43, 0x11f4f, kPunctuation},
                             {0x11f50, 0x11f59, kDecimal},
                             {0x11f5a, 0x11f5a, kMark},
                             {0x1342f, 0x1342f, kOther},
                             {0x13440, 0x13440, kMark},
                             {0x13441, 0x13446, kOther},
                             {0x13447, 0x13455, kMark},
                             {0x13460, 0x143fa, kOther},
                             {0x16100, 0x1611d, kOther},
                             {0x1611e, 0x1612f, kMark},
                             {0x16130, 0x16139, kDecimal},
                             {0x16d40, 0x16d6c, kOther},
                             {0x16d6d, 0x16d6f, kPunctuation},
                             {0x16d70, 0x16d79, kDecimal},
                             {0x18cff, 0x18cff, kOther},
                             {0x1b132, 0x1b132, kOther},
                             {0x1b155, 0x1b155, kOther},
                             {0x1cc00, 0x1ccef, kSymbol},
                             {0x1ccf0, 0x1ccf9, kDecimal},
                             {0x1cd00, 0x1ceb3, kSymbol},
                             {0x1d2c0, 0x1d2d3, kNumber},
                             {0x1df25, 0x1df2a, kLower},
                             {0x1e030, 0x1e06d, kOther},
                             {0x1e08f, 0x1e08f, kMark},
                             {0x1e4d0, 0x1e4eb, kOther},
                             {0x1e4ec, 0x1e4ef, kMark},
                             {0x1e4f0, 0x1e4f9, kDecimal},
                             {0x1e5d0, 0x1e5ed, kOther},
                             {0x1e5ee, 0x1e5ef, kMark},
                             {0x1e5f0, 0x1e5f0, kOther},
                             {0x1e5f1, 0x1e5fa, kDecimal},
                             {0x1e5ff, 0x1e5ff, kPunctuation},
                             {0x1f6dc, 0x1f6dc, kSymbol},
                             {0x1f774, 0x1f776, kSymbol},
                             {0x1f77b, 0x1f77f, kSymbol},
                             {0x1f7d9, 0x1f7d9, kSymbol},
                             {0x1f8b2, 0x1f8bb, kSymbol},
                             {0x1f8c0, 0x1f8c1, kSymbol},
                             {0x1fa75, 0x1fa77, kSymbol},
                             {0x1fa87, 0x1fa89, kSymbol},
                             {0x1fa8f, 0x1fa8f, kSymbol},
                             {0x1faad, 0x1faaf, kSymbol},
                             {0x1fabb, 0x1fabf, kSymbol},
                             {0x1fac6, 0x1fac6, kSymbol},
                             {0x1face, 0x1facf, kSymbol},
                             {0x1fada, 0x1fadc, kSymbol},
                             {0x1fadf, 0x1fadf, kSymbol},
                             {0x1fae8, 0x1fae9, kSymbol},
                             {0x1faf7, 0x1faf8, kSymbol},
                             {0x1fbcb, 0x1fbef, kSymbol},
                             {0x2b739, 0x2b739, kOther},
                             {0x2ebf0, 0x2ee5d, kOther},
                             {0x31350, 0x323af, kOther}};

// Characters of Unicode 6 with the same category and the same number of bytes.
char32_t stand_in(Kind kind, bool three_bytes) {
  switch (kind) {
    case kOther: return three_bytes ? 0x4e00 : 0x20000;
    case kUpper: return three_bytes ? 0x1e00 : 0x10400;
    case kLower: return three_bytes ? 0x1e01 : 0x10428;
    case kMark: return three_bytes ? 0x20d0 : 0x1d167;
    case kDecimal: return three_bytes ? 0x0e50 : 0x1d7ce;
    case kNumber: return three_bytes ? 0x2460 : 0x10107;
    case kPunctuation: return three_bytes ? 0x2016 : 0x10100;
    case kSymbol: return three_bytes ? 0x2440 : 0x1f600;
  }
  return 0xfffd;
}

const Range* find_range(char32_t character) {
  const auto* range = std::lower_bound(std::begin(kRanges), std::end(kRanges), character,
                                       [](const Range& r, char32_t c) { return r.last < c; });
  return range != std::end(kRanges) && character >= range->first ? range : nullptr;
}

// Lead bytes of the characters in the table; all others need no search.
bool may_be_newer(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte >= 0xf0 || (byte >= 0xe0 && byte <= 0xe3) || byte == 0xea;
}

}  // namespace

std::string replace_newer_characters(std::string_view text) {
  std::string out;
  size_t copied = 0;
  for (size_t position = 0; position < text.size(); ++position) {
    if (!may_be_newer(text[position])) continue;
    const char32_t character = utf8_decode(text, position);
    const Range* range = find_range(character);
    if (range == nullptr) continue;
    out.append(text.substr(copied, position - copied));
    append_utf8(out, stand_in(range->kind, character < 0x10000));
    copied = position + utf8_length(text[position]);
  }
  if (copied != 0) out.append(text.substr(copied));
  return out;
}

bool is_newer_number(char32_t character) {
  const Range* range = find_range(character);
  return range != nullptr && (range->kind == kDecimal || range->kind == kNumber);
}

bool is_newer_word(char32_t character) {
  const Range* range = find_range(character);
  return range != nullptr && (range->kind <= kDecimal);
}

}  // namespace scrooge::tokenizer
