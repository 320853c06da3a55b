// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/unicode.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/tokenizer/byte_alphabet.h"

namespace scrooge::tokenizer {
namespace {

constexpr std::string_view kMark = "\xef\xbf\xbd";

TEST(Utf8, MalformedPartsBecomeOneReplacementEach) {
  EXPECT_EQ(repair_utf8("plain \xe4\xb8\xad"), "plain \xe4\xb8\xad");
  EXPECT_EQ(repair_utf8("\xff"), kMark);
  EXPECT_EQ(repair_utf8("a\x80\x80z"), concat("a", kMark, kMark, "z"));
  EXPECT_EQ(repair_utf8("\xf0\x9f\x98"), kMark);
  EXPECT_EQ(repair_utf8("\xf0\x9f\x98x"), concat(kMark, "x"));
  EXPECT_EQ(repair_utf8("\xc0\xaf"), concat(kMark, kMark));
  EXPECT_EQ(repair_utf8("\xed\xa0\x80"), concat(kMark, kMark, kMark));
  EXPECT_EQ(repair_utf8("\xf4\x90\x80\x80"), concat(kMark, kMark, kMark, kMark));
}

TEST(Utf8, EveryCharacterSurvives) {
  for (char32_t c = 0; c < 0x110000; c += 7) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text;
    append_utf8(text, c);
    EXPECT_EQ(valid_utf8_prefix(text), text.size());
    EXPECT_EQ(utf8_length(text[0]), text.size());
    EXPECT_EQ(utf8_decode(text, 0), c);
  }
}

TEST(Nfc, ComposesAndReorders) {
  EXPECT_EQ(compose_nfc("cafe\xcc\x81"), "caf\xc3\xa9");
  EXPECT_EQ(compose_nfc("o\xcc\x82\xcc\xa3"), "\xe1\xbb\x99");
  EXPECT_EQ(compose_nfc("\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8"), "\xea\xb0\x81");
  EXPECT_EQ(compose_nfc(std::string_view("\0a", 2)), std::string_view("\0a", 2));
}

TEST(Nfc, LongRunsOfMarksStayFast) {
  std::string text = "e";
  for (int i = 0; i < 200000; ++i) text += i % 2 != 0 ? "\xcc\xa3" : "\xcc\x81";
  EXPECT_FALSE(compose_nfc(text).empty());
}

TEST(ByteAlphabet, IsOneToOne) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string character = byte_to_alphabet(static_cast<unsigned char>(byte));
    EXPECT_EQ(alphabet_to_bytes(character), std::string(1, static_cast<char>(byte)));
    all += character;
  }
  EXPECT_EQ(alphabet_to_bytes(all)->size(), 256u);
  EXPECT_EQ(byte_to_alphabet(' '), "\xc4\xa0");
  EXPECT_FALSE(alphabet_to_bytes("a b"));
  EXPECT_FALSE(alphabet_to_bytes("\xe4\xb8\xad"));
}

}  // namespace
}  // namespace scrooge::tokenizer
