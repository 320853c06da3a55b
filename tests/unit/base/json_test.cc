// SPDX-License-Identifier: Apache-2.0
#include "src/base/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace scrooge {
namespace {

JsonDocument parsed(std::string_view text) {
  auto document = JsonDocument::parse(text, "config.json", StatusCode::kBadConfig);
  EXPECT_TRUE(document.ok()) << document.status().message();
  return std::move(*document);
}

TEST(Json, ReadsTypedFields) {
  const JsonDocument document =
      parsed(R"({"name": "a\u00e9", "width": 576, "eps": 1e-5, "tied": true, "none": null, "ids": [1, 2]})");
  const JsonValue root = document.root();
  EXPECT_EQ(*root.get("name")->as_string(), "a\xc3\xa9");
  EXPECT_EQ(*root.get("width")->as_int(), 576);
  EXPECT_DOUBLE_EQ(*root.get("width")->as_double(), 576);
  EXPECT_DOUBLE_EQ(*root.get("eps")->as_double(), 1e-5);
  EXPECT_TRUE(*root.get("tied")->as_bool());
  EXPECT_FALSE(root.find("none").has_value());
  EXPECT_FALSE(root.find("absent").has_value());
  const auto ids = root.get("ids")->as_array();
  ASSERT_TRUE(ids.ok());
  ASSERT_EQ(ids->size(), 2u);
  EXPECT_EQ(*(*ids)[1].as_int(), 2);
}

TEST(Json, ErrorsNameFileAndField) {
  const JsonDocument document = parsed(R"({"rope": {"factor": "8", "list": [1, "x"]}, "half": 0.5})");
  const JsonValue root = document.root();
  const JsonValue rope = *root.get("rope");
  EXPECT_EQ(rope.get("factor")->as_int().status().message(),
            "config.json: rope.factor: expected a whole number, found a string");
  EXPECT_EQ(rope.get("factor")->as_int().status().code(), StatusCode::kBadConfig);
  EXPECT_EQ((*rope.get("list")->as_array())[1].as_double().status().message(),
            "config.json: rope.list[1]: expected a finite number, found a string");
  EXPECT_EQ(rope.get("theta").status().message(), "config.json: rope: field \"theta\" is missing");
  EXPECT_FALSE(root.get("half")->as_int().ok());
  EXPECT_FALSE(rope.as_array().ok());
  EXPECT_FALSE(rope.get("list")->as_object().ok());
}

TEST(Json, IntegerRanges) {
  const JsonDocument document = parsed(R"({"n": 7, "huge": 18446744073709551615})");
  EXPECT_EQ(*document.root().get("n")->as_int_in(1, 7), 7);
  EXPECT_EQ(document.root().get("n")->as_int_in(8, 9).status().message(), "config.json: n: 7 is outside 8 to 9");
  EXPECT_FALSE(document.root().get("huge")->as_int().ok());
}

TEST(Json, ObjectsKeepOrderAndDuplicates) {
  const JsonDocument document = parsed(R"({"b": 1, "a": 2, "b": 3})");
  const auto members = document.root().as_object();
  ASSERT_TRUE(members.ok());
  ASSERT_EQ(members->size(), 3u);
  EXPECT_EQ((*members)[0].first, "b");
  EXPECT_EQ(*(*members)[2].second.as_int(), 3);
}

TEST(Json, MalformedTextIsAnErrorNotACrash) {
  for (const char* bad : {"", "{", "[1,]", "{\"a\" 1}", "nul", "\"\\ud800", "\xff\xfe", "{\"a\": 1} x", "01"}) {
    const auto document = JsonDocument::parse(bad, "x.json", StatusCode::kBadTokenizer);
    ASSERT_FALSE(document.ok()) << bad;
    EXPECT_EQ(document.status().code(), StatusCode::kBadTokenizer);
    EXPECT_TRUE(document.status().message().starts_with("x.json: "));
  }
}

TEST(Json, DepthAndSizeAreBounded) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_FALSE(JsonDocument::parse(deep, "x", StatusCode::kBadConfig).ok());
  EXPECT_TRUE(JsonDocument::parse(deep, "x", StatusCode::kBadConfig, {1000, 200}).ok());
  EXPECT_FALSE(JsonDocument::parse("[1, 2, 3]", "x", StatusCode::kBadConfig, {5, 10}).ok());
}

TEST(Json, ValuesOutliveMovesOfTheDocument) {
  JsonDocument document = parsed(R"({"a": {"b": 5}})");
  const JsonValue inner = *document.root().get("a");
  const JsonDocument moved = std::move(document);
  EXPECT_EQ(*inner.get("b")->as_int(), 5);
}

TEST(JsonWriter, WritesCommasAndEscapes) {
  JsonWriter writer;
  writer.begin_object();
  writer.field("text", "a\"b\\c\n\x01").field("count", 3).field("share", 0.25).field("flag", false);
  writer.key("list").begin_array().value(1).begin_object().end_object().null().end_array();
  writer.field("bad", std::numeric_limits<double>::infinity()).field("large", std::numeric_limits<uint64_t>::max());
  writer.end_object();
  EXPECT_EQ(writer.text(), R"({"text":"a\"b\\c\n\u0001","count":3,"share":0.25,"flag":false,"list":[1,{},null],)"
                           R"("bad":null,"large":18446744073709551615})");
  EXPECT_TRUE(JsonDocument::parse(writer.text(), "x", StatusCode::kInternal).ok());
}

TEST(JsonWriter, LargeWholeDoublesReadBackAsTheyAre) {
  for (const double number : {0x1p53, -0x1p63, 18446744073709551616.0, 1e20, 1e300}) {
    const std::string text = JsonWriter().begin_array().value(number).end_array().text();
    const auto document = JsonDocument::parse(text, "x", StatusCode::kInternal);
    ASSERT_TRUE(document.ok()) << text << ": " << document.status().message();
    EXPECT_EQ(*document->root().as_array()->front().as_double(), number);
  }
}

}  // namespace
}  // namespace scrooge
