// SPDX-License-Identifier: Apache-2.0
// A text cut where a tokenizer says so gives the ids of the whole, for every family of tests/golden and at every place.
#include "src/tokenizer/text_cuts.h"

#include <gtest/gtest.h>

#include "src/base/file_map.h"
#include "src/tokenizer/bpe_model.h"
#include "src/tokenizer/tokenizer.h"

namespace scrooge::tokenizer {
namespace {

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::unique_ptr<Tokenizer> parse(std::string_view json) {
  auto tokenizer = Tokenizer::from_json(json, "", "tokenizer.json");
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  return tokenizer.ok() ? std::move(*tokenizer) : nullptr;
}

// Of a golden family: with its added tokens, with none that strips white space or has to stand alone, or without any.
enum class Added { kAll, kPlain, kNone };
std::unique_ptr<Tokenizer> open(std::string_view family, Added added) {
  auto json = read_small_file(concat(SCROOGE_SOURCE_DIR "/tests/golden/tokenizer_", family, ".json"), 1 << 20);
  EXPECT_TRUE(json.ok()) << json.status().message();
  if (added == Added::kPlain) {
    for (const std::string flag : {"lstrip", "rstrip", "single_word"}) {
      *json = replace_all(*json, concat("\"", flag, "\": true"), concat("\"", flag, "\": false"));
      *json = replace_all(*json, concat("\"", flag, "\":true"), concat("\"", flag, "\":false"));
    }
  } else if (added == Added::kNone) {
    const size_t begin = json->find('[', json->find("\"added_tokens\""));
    json->replace(begin, json->find(']', begin) + 1 - begin, "[]");
  }
  return parse(*json);
}

// A vocabulary as SentencePiece makes it: bytes, letters, a mark for spaces; `steps` are members of the document.
std::unique_ptr<Tokenizer> marked(std::string_view steps, std::string_view more_merges = "") {
  std::string vocabulary;
  int id = 0;
  const auto add = [&](std::string_view token) {
    vocabulary += concat(id == 0 ? "" : ", ", "\"", token, "\": ", id);
    ++id;
  };
  add("<unk>");
  for (int byte = 0; byte < 256; ++byte) {
    const char* const digits = "0123456789ABCDEF";
    add(concat("<0x", digits[byte / 16], digits[byte % 16], ">"));
  }
  for (char c = 'a'; c <= 'z'; ++c) add(std::string(1, c));
  for (const char* token : {"\xe2\x96\x81", "\xe2\x96\x81w", "or", "ord", "\xe2\x96\x81word", "on",
                            "\xe2\x96\x81\xe2\x96\x81", "<0x0A>x", "."}) {
    add(token);
  }
  return parse(concat("{\"version\": \"1.0\", \"added_tokens\": [], ", steps,
                      ", \"model\": {\"type\": \"BPE\", \"unk_token\": \"<unk>\", \"fuse_unk\": true, "
                      "\"byte_fallback\": true, \"vocab\": {",
                      vocabulary,
                      "}, \"merges\": [\"\xe2\x96\x81 w\", \"o r\", \"or d\", \"\xe2\x96\x81w ord\", \"o n\", "
                      "\"\xe2\x96\x81 \xe2\x96\x81\"",
                      more_merges, "]}}"));
}

// What patterns, normalizers and added tokens treat in ways of their own, beside each other in many orders.
std::vector<std::string> hard_texts() {
  const std::vector<std::string> parts{"word",
                                       "  ",
                                       "\n",
                                       "\r\n",
                                       "\n\n\n",
                                       "\t",
                                       "It's",
                                       "'s",
                                       ".",
                                       "...",
                                       "7",
                                       "2024 ",
                                       "/",
                                       "\xc3\xa9",
                                       "e\xcc\x81",
                                       "\xcc\x88",
                                       "\xe5\xad\x97",
                                       "\xe3\x80\x82",
                                       "\xe3\x80\x80",
                                       "\xc2\xa0",
                                       "\xff",
                                       "\xf0\x9f\x98\x80",
                                       "<mask>",
                                       "<new>",
                                       "tok",
                                       "spam",
                                       "long",
                                       "longest",
                                       "</s>",
                                       "<|end|>",
                                       "na\xc3\xaf"
                                       "f",
                                       "nai\xcc\x88"
                                       "f",
                                       "\xe2\x96\x81",
                                       "\xed\x9e\xa3",
                                       "\x0b",
                                       "\xe2\x80\xa8",
                                       "x\n",
                                       "\n\"",
                                       "A",
                                       "\n/"};
  std::vector<std::string> texts;
  uint32_t state = 1;
  for (int i = 0; i < 60; ++i) {
    std::string text;
    for (int j = 0; j < 40; ++j) {
      state = state * 1664525u + 1013904223u;
      text += parts[(state >> 16) % parts.size()];
      if ((state >> 8) % 3 == 0) text += " ";
    }
    texts.push_back(text);
  }
  texts.emplace_back("one line without an end");
  texts.emplace_back("a\nb\n\nc \n d\n\n\n\ne\r\n\r\nf   \n");
  texts.emplace_back("\n\n\n");
  texts.emplace_back(300, 'x');
  return texts;
}

struct Counts {
  size_t places = 0;
  size_t after_newlines = 0;
};

Counts expect_same_ids(const Tokenizer& tokenizer) {
  Counts counts;
  for (const std::string& text : hard_texts()) {
    const std::string_view view = text;
    const std::vector<int32_t> whole = *tokenizer.encode(view);
    for (size_t place = 1; place < view.size(); ++place) {
      if (!tokenizer.cuts().any() || !tokenizer.cuts().is_at(view, place)) continue;
      ++counts.places;
      counts.after_newlines += view[place - 1] == '\n' ? 1 : 0;
      BpeScratch words;
      std::vector<int32_t> ids = *tokenizer.encode_part(view.substr(0, place), false, words);
      const std::vector<int32_t> rest = *tokenizer.encode_part(view.substr(place), true, words);
      ids.insert(ids.end(), rest.begin(), rest.end());
      EXPECT_EQ(ids, whole) << printable(view.substr(0, place)) << " | " << printable(view.substr(place));
      if (ids != whole) return counts;
    }
    // In pieces as short as they can be, each with what its predecessor did not take.
    std::vector<int32_t> ids;
    BpeScratch words;
    for (size_t begin = 0, end = 0; begin < view.size(); begin = end) {
      for (end = begin + 1; end < view.size();) {
        const size_t cut = tokenizer.cuts().last_in(view.substr(begin, end - begin + 1));
        if (cut > 0) {
          end = begin + cut;
          break;
        }
        ++end;
      }
      const auto piece = *tokenizer.encode_part(view.substr(begin, end - begin), begin > 0, words);
      ids.insert(ids.end(), piece.begin(), piece.end());
    }
    EXPECT_EQ(ids, whole) << printable(view);
  }
  return counts;
}

class Cuts : public testing::TestWithParam<const char*> {};

TEST_P(Cuts, PartsGiveTheIdsOfTheWhole) {
  for (const Added added : {Added::kAll, Added::kPlain, Added::kNone}) {
    SCOPED_TRACE(static_cast<int>(added));
    const auto tokenizer = open(GetParam(), added);
    ASSERT_NE(tokenizer, nullptr);
    expect_same_ids(*tokenizer);
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Cuts,
                         testing::Values("gpt2", "gpt2_prefix", "smollm", "digit_runs", "llama3", "qwen2", "gpt4o",
                                         "llama2", "metaspace_first", "metaspace_always", "metaspace_never",
                                         "unknown_fused", "unknown_single"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(TextCuts, ByteLevelTextsAreCutAtSpacesAndBehindLines) {
  for (const char* family : {"gpt2", "smollm", "digit_runs", "llama3", "qwen2", "gpt4o"}) {
    const auto flagged = open(family, Added::kAll);
    EXPECT_TRUE(flagged->cuts().any()) << family;
    // A token that takes the white space before it forbids the places behind newlines.
    EXPECT_EQ(flagged->cuts().last_in("a. b.\nc."), 0u) << family;
    const auto plain = open(family, Added::kPlain);
    EXPECT_EQ(plain->cuts().last_in("a. b.\nc."), 6u) << family;
    EXPECT_EQ(plain->cuts().last_in("a b.\n\nc."), 1u) << family;
    EXPECT_EQ(plain->cuts().last_in(".\n/ .\n"), 0u) << family;
    EXPECT_GT(expect_same_ids(*plain).after_newlines, 20u) << family;
  }
}

// Behind each added token the text gets its space again.
TEST(TextCuts, ASpaceInFrontForbidsPlacesBehindAddedTokens) {
  EXPECT_FALSE(open("gpt2_prefix", Added::kAll)->cuts().any());
  const auto none = open("gpt2_prefix", Added::kNone);
  EXPECT_GT(expect_same_ids(*none).places, 100u);
}

TEST(TextCuts, MarkedSpacesAreCutBehindNewlinesThatNoMergeTakesIn) {
  std::vector<std::string> steps{
      "\"pre_tokenizer\": null, \"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", "
      "\"prepend\": \"\xe2\x96\x81\"}, {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": "
      "\"\xe2\x96\x81\"}]}"};
  for (const char* scheme : {"first", "always", "never"}) {
    for (const char* split : {"true", "false"}) {
      steps.push_back(
          concat("\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": "
                 "\"\xe2\x96\x81\", \"prepend_scheme\": \"",
                 scheme, "\", \"split\": ", split, "}"));
    }
  }
  for (const std::string& step : steps) {
    const auto tokenizer = marked(step);
    ASSERT_NE(tokenizer, nullptr) << step;
    EXPECT_EQ(tokenizer->cuts().last_in("a b\n\n c"), 5u) << step;
    EXPECT_GT(expect_same_ids(*tokenizer).places, 100u) << step;
    EXPECT_FALSE(marked(step, ", \"<0x0A> x\"")->cuts().any()) << step;
  }
  EXPECT_FALSE(open("llama2", Added::kNone)->cuts().any());  // its text was trained on with ".\n" as a token
}

TEST(TextCuts, UnknownStepsHaveNone) {
  auto json = read_small_file(SCROOGE_SOURCE_DIR "/tests/golden/tokenizer_llama3.json", 1 << 20);
  ASSERT_TRUE(json.ok());
  const std::string other = replace_all(*json, "\\\\p{N}{1,3}", "\\\\p{N}{1,4}");
  ASSERT_NE(other, *json);
  const auto tokenizer = Tokenizer::from_json(other, "", "tokenizer.json");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  EXPECT_FALSE((*tokenizer)->cuts().any());
  EXPECT_EQ((*tokenizer)->cuts().last_in("a b c"), 0u);
}

}  // namespace
}  // namespace scrooge::tokenizer
