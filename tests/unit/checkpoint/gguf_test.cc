// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/dequantize.h"
#include "tests/unit/checkpoint/checkpoint_fixture.h"

namespace scrooge::checkpoint {
namespace {

using test::ByteWriter;
using test::GgufWriter;

Result<Checkpoint> open(const std::string& content, std::string_view name = "m.gguf") {
  const test::TempFolder folder;
  test::write_file(folder / name, content);
  return open_checkpoint(folder / name);
}

std::string array_payload(uint32_t element, uint64_t count, std::string_view elements = "") {
  return ByteWriter().put(element).put(count).raw(elements).bytes();
}

TEST(Gguf, OpensByMagicWhateverTheName) {
  const GgufWriter writer =
      GgufWriter().text("general.architecture", "llama").tensor("w", 0, {3, 2}, test::f32_bytes(counting(6)));
  for (const uint32_t version : {2u, 3u}) {
    GgufWriter one = writer;
    one.version = version;
    const auto opened = open(one.finish(), "model.bin");
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    ASSERT_NE(opened->gguf, nullptr);
    EXPECT_EQ(*opened->gguf->get_string("general.architecture"), "llama");
    EXPECT_TRUE(opened->config_json.empty());
    const TensorInfo& tensor = *opened->weights->find("w");
    EXPECT_EQ(tensor.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(read_all(*opened->weights, "w"), counting(6));
  }
}

TEST(Gguf, RowsOfEveryBlockTypeReadAsTheyDecode) {
  const std::pair<uint32_t, StoredType> types[] = {
      {0, StoredType::kF32},   {1, StoredType::kF16},   {30, StoredType::kBF16}, {8, StoredType::kQ8_0},
      {2, StoredType::kQ4_0},  {3, StoredType::kQ4_1},  {6, StoredType::kQ5_0},  {7, StoredType::kQ5_1},
      {12, StoredType::kQ4_K}, {13, StoredType::kQ5_K}, {14, StoredType::kQ6_K}};
  for (const auto& [number, type] : types) {
    SCOPED_TRACE(stored_type_name(type));
    const StoredLayout layout = stored_layout(type);
    // 0x3c00-like bytes everywhere keep every scale finite; the values differ by position.
    std::string data(static_cast<size_t>(512 / layout.block_length * layout.block_bytes * 3), '\0');
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 % 60);
    const auto opened = open(GgufWriter().tensor("w", number, {512, 3}, data).finish());
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    std::vector<float> whole(3 * 512);
    dequantize(type, std::as_bytes(std::span(data)), whole);
    const TensorInfo& tensor = *opened->weights->find("w");
    EXPECT_EQ(tensor.type, type);
    for (int64_t row = 0; row < 3; ++row) {
      std::vector<float> out(512);
      ASSERT_TRUE(opened->weights->read_rows(tensor, row, 1, out).ok());
      EXPECT_EQ(out, std::vector<float>(whole.begin() + row * 512, whole.begin() + (row + 1) * 512));
    }
  }
}

TEST(Gguf, LowBitSourcesWarnOnce) {
  const std::string norm = test::f32_bytes(counting(8));
  const auto low = open(GgufWriter().tensor("n", 0, {8}, norm).tensor("w", 3, {32, 4}, std::string(80, '\0')).finish());
  ASSERT_TRUE(low.ok());
  ASSERT_EQ(low->warnings.size(), 1u);
  EXPECT_EQ(low->warnings[0],
            "source weights are already 5.0-bit (q4_1): results are measured against the dequantized source; a "
            "full-precision checkpoint gives better quality");
  const auto mixed = open(GgufWriter()
                              .tensor("a", 2, {32, 3}, std::string(54, '\0'))
                              .tensor("b", 3, {32, 1}, std::string(20, '\0'))
                              .finish());
  ASSERT_TRUE(mixed.ok());
  EXPECT_NE(mixed->warnings.at(0).find("4.6-bit (mostly q4_0)"), std::string::npos) << mixed->warnings[0];
  const auto high = open(GgufWriter().tensor("w", 8, {32, 4}, std::string(136, '\0')).finish());
  ASSERT_TRUE(high.ok());
  EXPECT_TRUE(high->warnings.empty());
}

struct Damage {
  const char* what;
  std::string content;
  StatusCode code = StatusCode::kBadCheckpoint;
};

GgufWriter with_version(uint32_t version) {
  GgufWriter writer;
  writer.version = version;
  return writer;
}

GgufWriter with_counts(uint64_t tensors, uint64_t values) {
  GgufWriter writer;
  writer.u32("a", 1).tensor("w", 0, {1}, "xxxx");
  writer.tensor_count = tensors;
  writer.value_count = values;
  return writer;
}

TEST(Gguf, EveryDamageHasItsCode) {
  const auto value = [](uint32_t type, std::string_view payload) {
    return GgufWriter().value("k", type, payload).finish();
  };
  const auto dimensions = [](std::vector<uint64_t> list) {
    return GgufWriter().tensor("w", 0, list, "xxxxxxxx").finish();
  };
  const auto alignment = [](uint32_t number) {
    return GgufWriter().u32("general.alignment", number).tensor("w", 0, {1}, "xxxx").finish();
  };
  const auto offset = [](uint64_t number) { return GgufWriter().tensor("w", 0, {1}, "xxxx", number).finish(); };
  std::string nested = array_payload(4, 0);
  for (int i = 0; i < 5; ++i) nested = array_payload(9, 1, nested);
  constexpr uint64_t kHuge = ~uint64_t{0};
  const Damage damages[] = {
      {"empty file", ""},
      {"three bytes", "GGU"},
      {"other magic", "GGML" + std::string(60, '\0')},
      {"magic only", "GGUF"},
      {"version 0", with_version(0).finish()},
      {"version 1", with_version(1).finish(), StatusCode::kUnsupported},
      {"version 4", with_version(4).finish(), StatusCode::kUnsupported},
      {"big-endian", with_version(0x03000000).finish(), StatusCode::kUnsupported},
      {"all tensors", with_counts(kHuge, 1).finish()},
      {"2^63 tensors", with_counts(uint64_t{1} << 63, 1).finish()},
      {"count times size wraps", with_counts(kHuge / 33 + 2, 1).finish()},
      {"one tensor too many", with_counts(2, 1).finish()},
      {"all values", with_counts(1, kHuge).finish()},
      {"one value too many", with_counts(1, 2).finish()},
      {"empty key", GgufWriter().u32("", 1).finish()},
      {"key of 64 KiB and one", GgufWriter().u32(std::string(65537, 'k'), 1).finish()},
      {"key beyond the file",
       ByteWriter().raw("GGUF").put(3u).put(uint64_t{0}).put(uint64_t{1}).put(kHuge).raw(std::string(32, 'x')).bytes()},
      {"key length wraps the position", ByteWriter()
                                            .raw("GGUF")
                                            .put(3u)
                                            .put(uint64_t{0})
                                            .put(uint64_t{1})
                                            .put(kHuge - 31)
                                            .raw(std::string(32, 'x'))
                                            .bytes()},
      {"duplicate key", GgufWriter().u32("a", 1).u32("b", 1).u32("a", 2).finish()},
      {"value type 13", value(13, "xxxxxxxx")},
      {"value type 2^32-1", value(~0u, "xxxxxxxx")},
      {"bool 2", value(7, "\x02")},
      {"string beyond the file", value(8, ByteWriter().put(uint64_t{1000}).bytes())},
      {"string of 2^64-1", value(8, ByteWriter().put(kHuge).raw("abcdefgh").bytes())},
      {"array type 13", value(9, array_payload(13, 1, "xxxxxxxx"))},
      {"array beyond the file", value(9, array_payload(4, 1000))},
      {"array count wraps", value(9, array_payload(10, uint64_t{1} << 61, "xxxxxxxx"))},
      {"array of 2^64-1 bytes", value(9, array_payload(0, kHuge))},
      {"array of too many strings",
       value(9, array_payload(8, 7, ByteWriter().put(uint64_t{0}).put(uint64_t{0}).bytes()))},
      {"array of too many bools", value(9, array_payload(7, 100, "\x01"))},
      {"array with bool 2", value(9, array_payload(7, 2, "\x01\x02"))},
      {"string array with a long element", value(9, array_payload(8, 1, ByteWriter().put(kHuge).bytes()))},
      {"arrays nested too deep", value(9, nested)},
      {"nested count wraps", value(9, array_payload(9, kHuge / 12 + 2, array_payload(4, 0)))},
      {"alignment 0", alignment(0)},
      {"alignment 3", alignment(3)},
      {"alignment 48", alignment(48)},
      {"alignment 2^31", alignment(1u << 31)},
      {"alignment is text", GgufWriter().text("general.alignment", "32").finish()},
      {"alignment negative",
       GgufWriter().value("general.alignment", 5, ByteWriter().put(int32_t{-32}).bytes()).finish()},
      {"empty tensor name", GgufWriter().tensor("", 0, {1}, "xxxx").finish()},
      {"long tensor name", GgufWriter().tensor(std::string(65537, 't'), 0, {1}, "xxxx").finish()},
      {"duplicate tensor",
       GgufWriter().tensor("w", 0, {1}, "xxxx").tensor("v", 0, {1}, "xxxx").tensor("w", 0, {1}, "xxxx").finish()},
      {"rank 0", dimensions({})},
      {"rank 5", dimensions({1, 1, 1, 1, 1})},
      {"zero dimension", dimensions({0})},
      {"zero outer dimension", dimensions({2, 0})},
      {"negative dimension", dimensions({kHuge})},
      {"negative times negative", dimensions({kHuge, kHuge})},
      {"2^63 dimension", dimensions({uint64_t{1} << 63})},
      {"product wraps to 0", dimensions({uint64_t{1} << 32, uint64_t{1} << 32})},
      {"product negative", dimensions({uint64_t{1} << 32, uint64_t{1} << 31})},
      {"bytes wrap", dimensions({(uint64_t{1} << 62) + 2})},
      {"larger than the file", dimensions({3})},
      {"offset not aligned", offset(4)},
      {"offset beyond the file", offset(1 << 20)},
      {"offset wraps", offset(kHuge - 31)},
      {"offset 2^63", offset(uint64_t{1} << 63)},
      {"overlap", GgufWriter().tensor("w", 0, {16}, std::string(64, 'x')).tensor("v", 0, {1}, "xxxx", 32).finish()},
      {"same bytes twice", GgufWriter().tensor("w", 0, {1}, "xxxx").tensor("v", 0, {1}, "xxxx", 0).finish()},
      {"row not whole blocks", GgufWriter().tensor("w", 2, {48, 2}, std::string(54, 'x')).finish()},
      {"row not whole super-blocks", GgufWriter().tensor("w", 12, {128, 2}, std::string(144, 'x')).finish()},
      {"q2_k", GgufWriter().tensor("w", 10, {256}, std::string(84, 'x')).finish(), StatusCode::kUnsupported},
      {"iq4_nl", GgufWriter().tensor("w", 20, {32}, std::string(18, 'x')).finish(), StatusCode::kUnsupported},
      {"f64", GgufWriter().tensor("w", 28, {1}, std::string(8, 'x')).finish(), StatusCode::kUnsupported},
      {"type of the future", GgufWriter().tensor("w", 1000, {1}, std::string(8, 'x')).finish(),
       StatusCode::kUnsupported},
      {"split", GgufWriter().value("split.count", 2, ByteWriter().put(uint16_t{3}).bytes()).finish(),
       StatusCode::kUnsupported},
      {"split is text", GgufWriter().text("split.count", "3").finish(), StatusCode::kBadConfig},
  };
  for (const Damage& damage : damages) {
    const auto opened = open(damage.content);
    EXPECT_EQ(opened.status().code(), damage.code) << damage.what << ": " << opened.status().message();
  }
}

TEST(Gguf, ErrorsNameFileTensorAndType) {
  const auto opened = open(GgufWriter().tensor("blk.0.ffn_up.weight", 10, {256}, std::string(84, 'x')).finish());
  EXPECT_NE(opened.status().message().find("m.gguf: tensor blk.0.ffn_up.weight has type q2_k"), std::string::npos)
      << opened.status().message();
}

TEST(Gguf, EveryPrefixOfAFileIsRefused) {
  const std::string whole =
      GgufWriter().text("a", "b").tensor("w", 0, {2, 2}, std::string(16, 'x')).tensor("v", 1, {3}, "xxxxxx").finish();
  ASSERT_TRUE(open(whole).ok());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(open(whole.substr(0, length)).status().code(), StatusCode::kBadCheckpoint) << length;
  }
}

}  // namespace
}  // namespace scrooge::checkpoint
