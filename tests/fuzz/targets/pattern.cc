// SPDX-License-Identifier: Apache-2.0
// A pre-tokenizer pattern (the first line) searched in a text (the rest), as UTF-8.
#include "src/tokenizer/pattern.h"

#include "src/tokenizer/unicode.h"
#include "tests/fuzz/fuzz_target.h"

namespace scrooge::fuzz {
namespace {

constexpr size_t kLongestText = 512;  // the work of a search is linear in the text by contract; this keeps it fast

void search(const tokenizer::Pattern& pattern, std::string_view text) {
  tokenizer::PatternSearch search(pattern);
  search.start(text);
  size_t last = 0;
  size_t matches = 0;
  tokenizer::Span match;
  while (true) {
    const auto found = search.next(match);
    if (!found.ok() || !*found) break;
    require(match.begin >= last && match.begin <= match.end && match.end <= text.size(), "matches follow one another");
    require(match.begin == text.size() || (text[match.begin] & 0xc0) != 0x80, "a match begins at a character");
    require(match.end == text.size() || (text[match.end] & 0xc0) != 0x80, "a match ends at a character");
    last = match.end;
    require(++matches <= text.size() + 1, "a search ends");
  }
}

}  // namespace

const InputKind kInputKind = InputKind::kText;

std::vector<std::string> seeds() {
  return {R"('s|'t|'re| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"
          "\nIt's 12 o'clock \xe2\x82\xac\n",
          R"((?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|\s*[\r\n]+)"
          "\nHello  World1234\r\n",
          R"([A-Z\x{20}-\x{7e}]*\w\d\h?(a|b)*c)"
          "\naaaaabbbbc",
          "(a*)*b\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "\\A.\\z\nx",
          "[[:alpha:]]++(?<!x)(?>y)\nabxy"};
}

void run(std::string_view input) {
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string_view first = input.substr(0, line);
  std::string_view text = input.substr(std::min(line + 1, input.size())).substr(0, kLongestText);
  text = text.substr(0, tokenizer::valid_utf8_prefix(text));
  const auto pattern = tokenizer::Pattern::compile(first);
  if (pattern.ok()) search(*pattern, text);
  if (const auto literal = tokenizer::Pattern::compile_literal(first);
      literal.ok() && tokenizer::valid_utf8_prefix(first) == first.size()) {
    search(*literal, text);
  }
}

}  // namespace scrooge::fuzz
