// SPDX-License-Identifier: Apache-2.0
// Every malformed or unknown tokenizer is refused with the right code and names what is wrong.
#include <gtest/gtest.h>

#include <limits>

#include "src/tokenizer/tokenizer.h"

namespace scrooge::tokenizer {
namespace {

std::string model_with(std::string_view vocab, std::string_view merges, std::string_view more = "") {
  return concat(R"({"model":{"type":"BPE","vocab":)", vocab, R"(,"merges":)", merges, more, "}}");
}

void expect_refused(const std::string& json, StatusCode code, std::string_view named) {
  const auto tokenizer = Tokenizer::from_json(json, "", "tokenizer.json");
  ASSERT_FALSE(tokenizer.ok()) << json;
  EXPECT_EQ(tokenizer.status().code(), code) << tokenizer.status().message();
  EXPECT_NE(tokenizer.status().message().find(named), std::string_view::npos) << tokenizer.status().message();
}

TEST(MalformedJson, IsRefusedWithFileAndField) {
  constexpr auto kBad = StatusCode::kBadTokenizer;
  constexpr auto kUnknown = StatusCode::kUnknownTokenizer;
  expect_refused("", kBad, "tokenizer.json");
  expect_refused("[]", kBad, "model");
  expect_refused("{", kBad, "tokenizer.json");
  expect_refused("{}", kBad, "model");
  expect_refused(R"({"model":3})", kBad, "model");
  expect_refused(R"({"model":{"type":"Unigram","vocab":[]}})", kUnknown, "Unigram");
  expect_refused(R"({"model":{"type":"WordPiece","vocab":{}}})", kUnknown, "WordPiece");
  expect_refused(R"({"model":{"vocab":{}}})", kUnknown, "model");
  expect_refused(model_with("[]", "[]"), kBad, "vocab");
  expect_refused(model_with(R"({"a":-1})", "[]"), kBad, "model.vocab.a");
  expect_refused(model_with(R"({"a":4194304})", "[]"), kBad, "model.vocab.a");
  expect_refused(model_with(R"({"a":2147483648})", "[]"), kBad, "model.vocab.a");
  expect_refused(model_with(R"({"a":18446744073709551615})", "[]"), kBad, "model.vocab.a");
  expect_refused(model_with(R"({"a":1.5})", "[]"), kBad, "model.vocab.a");
  expect_refused(model_with(R"({"a":"1"})", "[]"), kBad, "model.vocab.a");
  expect_refused(model_with(R"({"a":1,"b":1})", "[]"), kBad, "model.vocab.b");
  expect_refused(model_with(R"({"a":1,"\u0061":2})", "[]"), kBad, "twice");
  expect_refused(model_with(R"({"a":0,"b":1})", R"(["a b"])"), kBad, "\"ab\"");
  expect_refused(model_with(R"({"a":0,"b":1})", R"([["a","c"]])"), kBad, "\"c\"");
  expect_refused(model_with(R"({"a":0,"aa":1})", R"(["a"])"), kBad, "model.merges[0]");
  expect_refused(model_with(R"({"a":0,"aa":1})", R"(["a a a"])"), kBad, "model.merges[0]");
  expect_refused(model_with(R"({"a":0,"aa":1})", R"([["a"]])"), kBad, "model.merges[0]");
  expect_refused(model_with(R"({"a":0,"aa":1})", R"([["a",1]])"), kBad, "model.merges[0]");
  expect_refused(model_with(R"({"a":0})", "{}"), kBad, "model.merges");
  expect_refused(model_with(R"({"a":0})", "[]", R"(,"continuing_subword_prefix":"##")"), kUnknown,
                 "continuing_subword_prefix");
  expect_refused(model_with(R"({"a":0})", "[]", R"(,"dropout":0.1)"), kUnknown, "dropout");
  expect_refused(model_with(R"({"a":0})", "[]", R"(,"byte_fallback":"yes")"), kBad, "byte_fallback");
}

std::string with_member(std::string_view member) {
  return concat("{", member, R"(,"model":{"type":"BPE","vocab":{"a":0},"merges":[]}})");
}

TEST(MalformedJson, UnknownStepsAreNamed) {
  constexpr auto kBad = StatusCode::kBadTokenizer;
  constexpr auto kUnknown = StatusCode::kUnknownTokenizer;
  expect_refused(with_member(R"("normalizer":{"type":"Lowercase"})"), kUnknown, "Lowercase");
  expect_refused(with_member(R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"}]})"), kUnknown, "NFKC");
  expect_refused(with_member(R"("normalizer":{})"), kBad, "type");
  expect_refused(with_member(R"("normalizer":{"type":"Replace","pattern":{"String":""},"content":"x"})"), kBad,
                 "pattern");
  expect_refused(with_member(R"("pre_tokenizer":{"type":"BertPreTokenizer"})"), kUnknown, "BertPreTokenizer");
  expect_refused(with_member(R"("pre_tokenizer":{"type":"Metaspace","replacement":"__"})"), kBad, "replacement");
  expect_refused(with_member(R"("pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"x"})"),
                 kUnknown, "\"x\"");
  expect_refused(
      with_member(R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]})"),
      kUnknown, "Digits");
  expect_refused(with_member(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"})"), kBad,
                 "\"(\"");
  expect_refused(with_member(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"a"},"behavior":"Sideways"})"),
                 kUnknown, "Sideways");
  expect_refused(with_member(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"[a&&b]"},"behavior":"Isolated"})"),
                 kUnknown, "intersection");
}

TEST(MalformedJson, AddedTokensMustAgreeWithTheVocabulary) {
  constexpr auto kBad = StatusCode::kBadTokenizer;
  expect_refused(with_member(R"("added_tokens":[{"id":5,"content":"a"}])"), kBad, "added_tokens[0].id");
  expect_refused(with_member(R"("added_tokens":[{"id":2,"content":"new"}])"), kBad, "added_tokens[0].id");
  expect_refused(with_member(R"("added_tokens":[{"id":-1,"content":"new"}])"), kBad, "added_tokens[0].id");
  expect_refused(with_member(R"("added_tokens":[{"id":1,"content":"x"},{"id":2,"content":"x"}])"), kBad, "added twice");
  expect_refused(with_member(R"("added_tokens":[{"id":1}])"), kBad, "content");
}

TEST(MalformedJson, DeepNestingIsRefused) {
  std::string deep;
  for (int i = 0; i < 12; ++i) deep += R"({"type":"Sequence","normalizers":[)";
  for (int i = 0; i < 12; ++i) deep += "]}";
  expect_refused(with_member(concat(R"("normalizer":)", deep)), StatusCode::kBadTokenizer, "deeper");
  expect_refused(std::string(1 << 20, '['), StatusCode::kBadTokenizer, "tokenizer.json");
}

TEST(MalformedJson, MissingUnknownTokenShowsWhenItIsNeeded) {
  const auto tokenizer =
      Tokenizer::from_json(model_with(R"({"a":0})", "[]", R"(,"unk_token":"<unk>")"), "", "tokenizer.json");
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_TRUE((*tokenizer)->encode("aa").ok());
  const auto ids = (*tokenizer)->encode("ab");
  ASSERT_FALSE(ids.ok());
  EXPECT_EQ(ids.status().code(), StatusCode::kBadTokenizer);
  EXPECT_NE(ids.status().message().find("<unk>"), std::string_view::npos);
}

GgufVocabulary small_gguf() {
  GgufVocabulary vocabulary;
  vocabulary.model = "gpt2";
  vocabulary.pre = "gpt-2";
  vocabulary.tokens = {"a", "b", "ab", "<s>"};
  vocabulary.types = {1, 1, 1, 3};
  vocabulary.merges = {"a b"};
  return vocabulary;
}

GgufVocabulary small_scored() {
  GgufVocabulary vocabulary;
  vocabulary.model = "llama";
  vocabulary.tokens = {"<unk>", "<0x0A>", "a", "b", "ab"};
  vocabulary.types = {2, 6, 1, 1, 1};
  vocabulary.scores = {0, 0, -1, -2, -3};
  return vocabulary;
}

void expect_refused(GgufVocabulary vocabulary, StatusCode code, std::string_view named) {
  const auto tokenizer = Tokenizer::from_gguf(std::move(vocabulary), "model.gguf");
  ASSERT_FALSE(tokenizer.ok()) << named;
  EXPECT_EQ(tokenizer.status().code(), code) << tokenizer.status().message();
  EXPECT_NE(tokenizer.status().message().find(named), std::string_view::npos) << tokenizer.status().message();
}

TEST(MalformedGguf, UnknownModelAndPreTokenizerAreNamedAndNeverGuessed) {
  for (const char* pre : {"", "default", "made-up"}) {
    auto vocabulary = small_gguf();
    vocabulary.pre = pre;
    expect_refused(std::move(vocabulary), StatusCode::kUnknownTokenizer, "tokenizer.ggml.pre");
  }
  auto vocabulary = small_gguf();
  vocabulary.model = "bert";
  expect_refused(std::move(vocabulary), StatusCode::kUnknownTokenizer, "bert");
}

TEST(MalformedGguf, IsRefusedWithTheField) {
  constexpr auto kBad = StatusCode::kBadTokenizer;
  const auto broken = [](GgufVocabulary vocabulary, auto change) {
    change(vocabulary);
    return vocabulary;
  };
  expect_refused(broken(small_gguf(), [](auto& v) { v.tokens.clear(); }), kBad, "tokens");
  expect_refused(broken(small_gguf(), [](auto& v) { v.tokens[1] = "a"; }), kBad, "token 1");
  expect_refused(broken(small_gguf(), [](auto& v) { v.tokens[1] = "\xff"; }), kBad, "token 1");
  expect_refused(broken(small_gguf(), [](auto& v) { v.types.pop_back(); }), kBad, "token_type");
  expect_refused(broken(small_gguf(), [](auto& v) { v.types[0] = 77; }), kBad, "token_type");
  expect_refused(broken(small_gguf(), [](auto& v) { v.merges = {"a c"}; }), kBad, "\"c\"");
  expect_refused(broken(small_gguf(), [](auto& v) { v.merges = {"ab"}; }), kBad, "merges[0]");
  expect_refused(broken(small_gguf(), [](auto& v) { v.merges.clear(); }), kBad, "merges");
  expect_refused(broken(small_gguf(), [](auto& v) { v.bos = 4; }), kBad, "bos_token_id");
  expect_refused(broken(small_gguf(), [](auto& v) { v.eos = -1; }), kBad, "eos_token_id");
  expect_refused(broken(small_scored(), [](auto& v) { v.scores.pop_back(); }), kBad, "scores");
  expect_refused(broken(small_scored(), [](auto& v) { v.scores[1] = std::numeric_limits<float>::quiet_NaN(); }), kBad,
                 "scores");
  for (const char* hex : {"<0x-1>", "<0xGG>", "<0x1>", "<0x0a>", "0x0A", ""}) {
    expect_refused(broken(small_scored(), [&](auto& v) { v.tokens[1] = hex; }), kBad, "byte token 1");
  }
}

TEST(Gguf, ScoresDecideTheMergesAndTheLeftmostWinsATie) {
  GgufVocabulary vocabulary;
  vocabulary.model = "llama";
  vocabulary.tokens = {"<unk>", "a", "b", "c", "ab", "bc", "aa"};
  vocabulary.types = {2, 1, 1, 1, 1, 1, 1};
  vocabulary.scores = {0, -9, -9, -9, -2, -1, -3};
  vocabulary.unknown = 0;
  vocabulary.add_space_prefix = false;
  const auto tokenizer = Tokenizer::from_gguf(vocabulary, "model.gguf");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  EXPECT_EQ(*(*tokenizer)->encode("abc"), (std::vector<int32_t>{1, 5}));
  EXPECT_EQ(*(*tokenizer)->encode("aaa"), (std::vector<int32_t>{6, 1}));
  EXPECT_EQ(*(*tokenizer)->encode("axxb"), (std::vector<int32_t>{1, 0, 2}));
  vocabulary.scores[5] = -2;
  EXPECT_EQ(*(*Tokenizer::from_gguf(vocabulary, "model.gguf"))->encode("abc"), (std::vector<int32_t>{4, 3}));
}

TEST(Gguf, BosFollowsTheMetadataAndTheFamilysDefault) {
  auto vocabulary = small_gguf();
  vocabulary.bos = 3;
  EXPECT_FALSE((*Tokenizer::from_gguf(vocabulary, "m"))->adds_bos());
  vocabulary.add_bos = true;
  EXPECT_TRUE((*Tokenizer::from_gguf(vocabulary, "m"))->adds_bos());
  vocabulary.add_bos.reset();
  vocabulary.pre = "llama-bpe";
  EXPECT_TRUE((*Tokenizer::from_gguf(vocabulary, "m"))->adds_bos());
  vocabulary.bos.reset();
  EXPECT_FALSE((*Tokenizer::from_gguf(vocabulary, "m"))->adds_bos());
}

TEST(Tokenizer, DecodeRefusesIdsOutsideTheVocabulary) {
  const auto tokenizer = Tokenizer::from_gguf(small_gguf(), "m");
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_EQ((*tokenizer)->vocabulary_size(), 4);
  for (const int32_t id : {-1, 4, std::numeric_limits<int32_t>::max()}) {
    EXPECT_FALSE((*tokenizer)->decode(std::vector<int32_t>{0, id}).ok());
    EXPECT_FALSE((*tokenizer)->token_text(id));
  }
  EXPECT_EQ(*(*tokenizer)->decode(std::vector<int32_t>{2, 3}), "ab<s>");
}

}  // namespace
}  // namespace scrooge::tokenizer
