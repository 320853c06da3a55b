// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/pattern.h"

#include <gtest/gtest.h>

#include "src/tokenizer/newer_characters.h"
#include "src/tokenizer/pattern_syntax.h"

namespace scrooge::tokenizer {
namespace {

Result<std::vector<std::string>> matches(std::string_view pattern, std::string_view text) {
  SCROOGE_ASSIGN_OR_RETURN(const Pattern compiled, Pattern::compile(pattern));
  PatternSearch search(compiled);
  search.start(text);
  std::vector<std::string> out;
  Span span;
  while (true) {
    SCROOGE_ASSIGN_OR_RETURN(const bool found, search.next(span));
    if (!found) return out;
    out.emplace_back(text.substr(span.begin, span.end - span.begin));
  }
}

TEST(Pattern, WhiteSpaceIsTheUnicodeProperty) {
  EXPECT_EQ(matches(R"(\s)",
                    "a\xc2\x85"
                    "b\xe3\x80\x80"
                    "c")
                ->size(),
            2u);
  // U+180E and U+200B are not white space.
  EXPECT_TRUE(matches(R"(\s)", "\xe1\xa0\x8e\xe2\x80\x8b")->empty());
  EXPECT_EQ(matches(R"([\S]+)", "a\xe1\xa0\x8e b")->size(), 2u);
}

TEST(Pattern, VerticalTabAndShortHexMeanWhatOnigurumaMeans) {
  EXPECT_EQ(matches(R"(\v)", "\n\x0b\f")->size(), 1u);
  EXPECT_EQ(matches(R"(\x41\u0042\x{43})", "ABC")->size(), 1u);
}

TEST(Pattern, EmptyMatchesDoNotFollowAMatch) {
  EXPECT_EQ(*matches("a*", "aab"), (std::vector<std::string>{"aa", ""}));
  EXPECT_EQ(matches("(?=b)", "abcb\xc3\xa9")->size(), 2u);
}

TEST(Pattern, SyntaxOfOtherMeaningIsRefused) {
  for (const char* pattern : {R"(\h)", R"(\R)", R"(\X)", R"(\K)", R"(\G)", R"(\1)", R"(\b)", "[[:alpha:]]", "[a&&b]",
                              "a{2}+", "(?m:.)", "(?<n>a)", "(*UCP)a", R"(\xe9)", R"(\pL)", "(?R)", "\\"}) {
    const auto result = translate_pattern(pattern);
    ASSERT_FALSE(result.ok()) << pattern;
    EXPECT_EQ(result.status().code(), StatusCode::kUnknownTokenizer);
  }
}

TEST(Pattern, LiteralsMatchThemselves) {
  const std::string text = "a.b*\\E[x]\x01 \xe2\x96\x81";
  const auto pattern = Pattern::compile_literal(text);
  ASSERT_TRUE(pattern.ok()) << pattern.status().message();
  PatternSearch search(*pattern);
  search.start(text);
  Span span;
  EXPECT_TRUE(*search.next(span));
  EXPECT_EQ(span.end, text.size());
}

TEST(Pattern, CatastrophicBacktrackingIsAnErrorThatNamesThePattern) {
  std::string text(20000, 'a');
  text += 'c';
  const auto result = matches("(a|aa)+$|(a*)*b", text);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kBadTokenizer);
  EXPECT_NE(result.status().message().find("(a|aa)+$"), std::string_view::npos);
}

TEST(Pattern, LongHonestMatchesAreNotAnError) {
  const std::string spaces(3 << 20, ' ');
  const auto result = matches(R"(\s*[\r\n]+|\s+(?!\S)|\s+)", spaces + "x");
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->size(), 2u);
}

TEST(Pattern, CharactersNewerThanTheLibraryKeepTheirCategory) {
  // U+31350 is a letter since Unicode 15, U+10D40 a digit since 16.
  EXPECT_EQ(*matches(R"(\p{L}+)", "a\xf0\xb1\x8d\x90z!"), (std::vector<std::string>{"a\xf0\xb1\x8d\x90z"}));
  EXPECT_EQ(*matches(R"(\p{N}+)", "1\xf0\x90\xb5\x80"), (std::vector<std::string>{"1\xf0\x90\xb5\x80"}));
  EXPECT_TRUE(replace_newer_characters("plain \xe4\xb8\xad").empty());
}

}  // namespace
}  // namespace scrooge::tokenizer
