// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/gguf_header.h"

#include <limits>

#include "tests/unit/checkpoint/checkpoint_fixture.h"

namespace scrooge::checkpoint {
namespace {

using test::ByteWriter;
using test::GgufWriter;

Result<GgufHeader> parse(const std::string& content) {
  return GgufHeader::parse(std::as_bytes(std::span(content)), "m.gguf");
}

GgufHeader parsed(const GgufWriter& writer) {
  auto header = parse(writer.header());
  EXPECT_TRUE(header.ok()) << header.status().message();
  if (header.ok()) return std::move(*header);
  return std::move(*parse(GgufWriter().header()));
}

TEST(GgufHeader, GettersAcceptEveryIntegerWidth) {
  GgufWriter writer;
  writer.value("u8", 0, ByteWriter().put(uint8_t{200}).bytes());
  writer.value("i8", 1, ByteWriter().put(int8_t{-5}).bytes());
  writer.value("u16", 2, ByteWriter().put(uint16_t{60000}).bytes());
  writer.value("i16", 3, ByteWriter().put(int16_t{-300}).bytes());
  writer.value("u32", 4, ByteWriter().put(uint32_t{4000000000u}).bytes());
  writer.value("i32", 5, ByteWriter().put(int32_t{77}).bytes());
  writer.value("u64", 10, ByteWriter().put(~uint64_t{0}).bytes());
  writer.value("i64", 11, ByteWriter().put(int64_t{1} << 40).bytes());
  const GgufHeader header = parsed(writer);
  EXPECT_EQ(*header.get_u64("u8"), 200u);
  EXPECT_EQ(*header.get_u64("u16"), 60000u);
  EXPECT_EQ(*header.get_u64("u32"), 4000000000u);
  EXPECT_EQ(*header.get_u64("i32"), 77u);
  EXPECT_EQ(*header.get_u64("u64"), ~uint64_t{0});
  EXPECT_EQ(*header.get_u64("i64"), uint64_t{1} << 40);
  EXPECT_EQ(*header.find("i8")->as_i64(), -5);
  EXPECT_EQ(*header.get_f64("i16"), -300);
  EXPECT_EQ(*header.find("u8")->as_u64_in(1, 200), 200u);
  EXPECT_EQ(header.get_u64("i8").status().code(), StatusCode::kBadConfig);
  EXPECT_EQ(header.find("u64")->as_i64().status().code(), StatusCode::kBadConfig);
  EXPECT_EQ(header.find("u8")->as_u64_in(1, 199).status().code(), StatusCode::kBadConfig);
}

TEST(GgufHeader, ScalarsStringsAndArrays) {
  GgufWriter writer;
  writer.f32("eps", 0.5f).text("name", "hello").strings("tokens", {"a", "", "ccc"});
  writer.value("wide", 12, ByteWriter().put(0.25).bytes());
  writer.value("yes", 7, "\x01");
  writer.array("types", 5, 3, ByteWriter().put(int32_t{1}).put(int32_t{-2}).put(int32_t{3}).bytes());
  writer.array("scores", 6, 2, ByteWriter().put(0.5f).put(-1.5f).bytes());
  writer.array("wide_scores", 12, 2, ByteWriter().put(0.5).put(1e300).bytes());
  writer.array("empty", 8, 0, "");
  const GgufHeader header = parsed(writer);
  EXPECT_EQ(*header.get_f64("eps"), 0.5);
  EXPECT_EQ(*header.get_f64("wide"), 0.25);
  EXPECT_EQ(*header.get_string("name"), "hello");
  EXPECT_TRUE(*header.get_bool("yes"));
  EXPECT_EQ(*header.get("tokens")->as_strings(), (std::vector<std::string_view>{"a", "", "ccc"}));
  EXPECT_EQ(header.get("tokens")->array_length(), 3u);
  EXPECT_EQ(*header.get("types")->as_ints(), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_EQ(*header.get("scores")->as_floats(), (std::vector<float>{0.5f, -1.5f}));
  EXPECT_EQ(*header.get("wide_scores")->as_floats(),
            (std::vector<float>{0.5f, std::numeric_limits<float>::infinity()}));
  EXPECT_TRUE(header.get("empty")->as_strings()->empty());
}

TEST(GgufHeader, WrongKindsNameFileAndKey) {
  GgufWriter writer;
  writer.text("name", "x").u32("count", 1).strings("tokens", {"a"});
  writer.f32("nan", std::numeric_limits<float>::quiet_NaN());
  writer.array("large", 10, 1, ByteWriter().put(~uint64_t{0}).bytes());
  const GgufHeader header = parsed(writer);
  EXPECT_EQ(header.get_u64("name").status().message(), "m.gguf: name: expected a whole number, found string");
  EXPECT_EQ(header.get_u64("absent").status().message(), "m.gguf: metadata key absent is missing");
  for (const Status& status :
       {header.get_f64("name").status(), header.get_bool("count").status(), header.get_string("count").status(),
        header.get_f64("nan").status(), header.get_u64("tokens").status(), header.get("tokens")->as_ints().status(),
        header.get("tokens")->as_floats().status(), header.get("count")->as_strings().status(),
        header.get("count")->as_ints().status(), header.get("large")->as_ints().status(),
        header.get_u64("absent").status()}) {
    EXPECT_EQ(status.code(), StatusCode::kBadConfig) << status.message();
  }
  EXPECT_FALSE(header.find("absent"));
}

TEST(GgufHeader, HeaderBytesParseBackAlone) {
  GgufWriter writer;
  writer.text("general.architecture", "llama").set_alignment(64);
  writer.tensor("b", 0, {2, 3}, std::string(24, 'x')).tensor("a", 1, {5}, std::string(10, 'x'));
  const GgufHeader whole = std::move(*parse(writer.finish()));
  EXPECT_EQ(whole.header_bytes().size(), writer.header().size());
  EXPECT_EQ(whole.data_offset() % 64, 0u);
  const auto again = GgufHeader::parse(whole.header_bytes(), "segment");
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(*again->get_string("general.architecture"), "llama");
  EXPECT_EQ(again->alignment(), 64u);
  ASSERT_EQ(again->tensors().size(), 2u);
  EXPECT_EQ(again->tensors()[0].name, "b");
  EXPECT_EQ(again->tensors()[0].shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(again->tensors()[1].offset, 64u);
}

TEST(GgufHeader, MovingKeepsItsViews) {
  GgufWriter writer;
  writer.text("k", "value");
  auto first = std::make_unique<GgufHeader>(parsed(writer));
  const GgufHeader second = std::move(*first);
  first.reset();
  EXPECT_EQ(*second.get_string("k"), "value");
  EXPECT_EQ(second.get_u64("k").status().message(), "m.gguf: k: expected a whole number, found string");
}

TEST(GgufHeader, LongHeadersAreReadInSteps) {
  const test::TempFolder folder;
  const std::string piece(60'000, 'x');
  test::write_file(folder / "m.gguf", GgufWriter()
                                          .strings("tokens", std::vector<std::string>(100, piece))
                                          .text("template", std::string(200'000, 'y'))
                                          .tensor("w", 0, {1}, std::string(4, 'x'))
                                          .finish());
  const auto file = FileMap::open(folder / "m.gguf");
  ASSERT_TRUE(file.ok());
  const auto header = GgufHeader::read(*file);
  ASSERT_TRUE(header.ok()) << header.status().message();
  EXPECT_EQ(header->get("tokens")->as_strings()->back(), piece);
  EXPECT_EQ(header->get_string("template")->size(), 200'000u);
}

TEST(GgufHeader, EveryPrefixIsRefusedAndTheWholeParses) {
  GgufWriter writer;
  writer.text("name", "abc").strings("tokens", {"a", "bc"}).value("flag", 7, std::string(1, '\0'));
  writer.array("nested", 9, 1, ByteWriter().put(uint32_t{4}).put(uint64_t{1}).put(uint32_t{9}).bytes());
  writer.tensor("w", 0, {2, 2}, std::string(16, 'x'));
  const std::string whole = writer.header();
  ASSERT_TRUE(parse(whole).ok());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(parse(whole.substr(0, length)).status().code(), StatusCode::kBadCheckpoint) << length;
  }
}

TEST(GgufHeader, EveryFlippedBitIsAnErrorOrAnotherHeader) {
  GgufWriter writer;
  writer.text("name", "abc").strings("tokens", {"a", "bc"}).u32("general.alignment", 32);
  writer.tensor("w", 0, {2, 2}, std::string(16, 'x'));
  const std::string whole = writer.header();
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto header = parse(damaged);
    if (!header.ok()) continue;
    for (const GgufValue& value : header->values()) {
      (void)value.as_u64();
      (void)value.as_f64();
      (void)value.as_bool();
      (void)value.as_string();
      (void)value.as_strings();
      (void)value.as_ints();
      (void)value.as_floats();
    }
  }
}

TEST(GgufHeader, ManyKeysAndTensorsTakeLinearTime) {
  GgufWriter writer;
  for (uint32_t i = 0; i < 20'000; ++i) {
    writer.u32(concat("key", i), i);
    writer.tensor(concat("t", i), 1, {1}, "xx");
  }
  const GgufHeader header = parsed(writer);
  EXPECT_EQ(*header.get_u64("key19999"), 19999u);
  EXPECT_EQ(header.tensors().size(), 20'000u);
}

}  // namespace
}  // namespace scrooge::checkpoint
