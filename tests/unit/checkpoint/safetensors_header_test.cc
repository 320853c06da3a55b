// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/safetensors_header.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace scrooge::checkpoint {
namespace {

// Reads content as a file.
Result<SafetensorsHeader> read(std::string_view content) {
  const test::TempFolder folder;
  test::write_file(folder / "m.safetensors", content);
  SCROOGE_ASSIGN_OR_RETURN(const FileMap file, FileMap::open(folder / "m.safetensors"));
  return read_safetensors_header(file);
}

StatusCode code_of(std::string_view header, size_t data_bytes) {
  return parse_safetensors_header(header, 8 + header.size(), 8 + header.size() + data_bytes, "m").status().code();
}

std::string tensor_json(std::string_view fields) { return concat("{\"a\":{", fields, "}}"); }

TEST(SafetensorsHeader, ReadsTypesShapesAndOffsets) {
  const auto header = read(test::SafetensorsWriter()
                               .add("b", "BF16", std::vector<int64_t>{3, 2}, std::string(12, 'x'))
                               .add("a", "F16", std::vector<int64_t>{5}, std::string(10, 'x'))
                               .add("scalar", "F32", std::vector<int64_t>{}, std::string(4, 'x'))
                               .add("empty", "F32", std::vector<int64_t>{0, 7}, "")
                               .add("ids", "I64", std::vector<int64_t>{1}, std::string(8, 'x'))
                               .finish());
  ASSERT_TRUE(header.ok()) << header.status().message();
  ASSERT_EQ(header->tensors.size(), 4u);
  EXPECT_EQ(header->skipped, std::vector<std::string>{"ids"});
  const TensorInfo& b = header->tensors[0];
  EXPECT_EQ(b.name, "b");
  EXPECT_EQ(b.type, StoredType::kBF16);
  EXPECT_EQ(b.rows(), 3);
  EXPECT_EQ(b.cols(), 2);
  EXPECT_EQ(b.bytes, 12u);
  EXPECT_EQ(header->tensors[1].offset, b.offset + 12);
  EXPECT_EQ(header->tensors[1].rows(), 1);
  EXPECT_EQ(header->tensors[1].cols(), 5);
  EXPECT_EQ(header->tensors[2].rows() * header->tensors[2].cols(), 1);
  EXPECT_EQ(header->tensors[3].rows(), 0);
}

TEST(SafetensorsHeader, AcceptsWhitespaceAroundAndMetadata) {
  EXPECT_EQ(code_of(" \n\t{\"__metadata__\":{\"format\":\"pt\"}} \r\n  ", 0), StatusCode::kOk);
  EXPECT_EQ(code_of(tensor_json(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"note":7)"), 4), StatusCode::kOk);
}

TEST(SafetensorsHeader, FilesTooShortForTheirLengthAreRefused) {
  for (const size_t size : {0, 1, 7, 8}) {
    EXPECT_EQ(read(std::string(size, '\0')).status().code(), StatusCode::kBadCheckpoint) << size;
  }
  const std::string body = "{}";
  for (const uint64_t length : {uint64_t{0}, uint64_t{1}, uint64_t{3}, uint64_t{1} << 31, uint64_t{1} << 32,
                                uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7, kMaxSafetensorsHeader + 1}) {
    const std::string content = test::ByteWriter().put(length).raw(body).bytes();
    EXPECT_EQ(read(content).status().code(), StatusCode::kBadCheckpoint) << length;
  }
}

struct Damage {
  const char* what;
  std::string header;
  size_t data_bytes;
  StatusCode code = StatusCode::kBadCheckpoint;
};

TEST(SafetensorsHeader, EveryDamageHasItsCode) {
  const auto with_shape = [](std::string_view shape) {
    return tensor_json(concat(R"("dtype":"F32","data_offsets":[0,4],"shape":)", shape));
  };
  const auto with_offsets = [](std::string_view offsets) {
    return tensor_json(concat(R"("dtype":"F32","shape":[1],"data_offsets":)", offsets));
  };
  const auto with_type = [](std::string_view type) {
    return tensor_json(concat(R"("shape":[1],"data_offsets":[0,4],"dtype":)", type));
  };
  const auto two = [](std::string_view first, std::string_view second) {
    return concat(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)", first,
                  R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)", second, "}}");
  };
  const Damage damages[] = {
      {"empty text", "", 0},
      {"only spaces", "   ", 0},
      {"not JSON", "hello", 0},
      {"array", "[]", 0},
      {"byte order mark", "\xef\xbb\xbf{}", 0},
      {"NUL after", std::string("{}\0", 3), 0},
      {"NUL before", std::string("\0{}", 3), 0},
      {"garbage after", "{}x", 0},
      {"second object", "{}{}", 0},
      {"vertical tab before", "\v{}", 0},
      {"invalid UTF-8", "{\"\xff\":1}", 0},
      {"unclosed", "{\"a\":{", 0},
      {"deep nesting", concat("{\"a\":", std::string(40, '['), std::string(40, ']'), "}"), 0},
      {"tensor is a number", "{\"a\":1}", 0},
      {"tensor is null", "{\"a\":null}", 0},
      {"duplicate name", two("[0,4]", "[4,8]").replace(two("[0,4]", "[4,8]").find("\"b\""), 3, "\"a\""), 8},
      {"duplicate name by escape", two("[0,4]", "[4,8]").replace(two("[0,4]", "[4,8]").find("\"b\""), 3, "\"\\u0061\""),
       8},
      {"duplicate field", tensor_json(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])"), 4},
      {"duplicate shape", tensor_json(R"("dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4])"), 4},
      {"no dtype", tensor_json(R"("shape":[1],"data_offsets":[0,4])"), 4},
      {"no shape", tensor_json(R"("dtype":"F32","data_offsets":[0,4])"), 4},
      {"no offsets", tensor_json(R"("dtype":"F32","shape":[1])"), 4},
      {"unknown dtype", with_type("\"F31\""), 4},
      {"lower-case dtype", with_type("\"f32\""), 4},
      {"dtype is a number", with_type("32"), 4},
      {"odd bits", tensor_json(R"("dtype":"F4","shape":[3],"data_offsets":[0,2])"), 2},
      {"f64 weight", tensor_json(R"("dtype":"F64","shape":[1],"data_offsets":[0,8])"), 8, StatusCode::kUnsupported},
      {"f8 weight", tensor_json(R"("dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4])"), 4, StatusCode::kUnsupported},
      {"f4 weight", tensor_json(R"("dtype":"F4","shape":[8],"data_offsets":[0,4])"), 4, StatusCode::kUnsupported},
      {"negative dimension", with_shape("[-1]"), 4},
      {"float dimension", with_shape("[1.0]"), 4},
      {"exponent dimension", with_shape("[1e3]"), 4},
      {"string dimension", with_shape("[\"1\"]"), 4},
      {"null dimension", with_shape("[null]"), 4},
      {"2^53+1 dimension", with_shape("[9007199254740993]"), 4},
      {"2^63 dimension", with_shape("[9223372036854775808]"), 4},
      {"2^64 dimension", with_shape("[18446744073709551616]"), 4},
      {"elements overflow", with_shape("[4294967296,4294967296]"), 4},
      {"elements overflow to a small number", with_shape("[4294967297,4294967296]"), 4},
      {"overflow hidden by zero", with_shape("[4611686018427387904,4,0]"), 4},
      {"bits overflow", with_shape("[2305843009213693952]"), 4},
      {"bytes overflow", with_shape("[4611686018427387905]"), 4},
      {"shape is a number", with_shape("1"), 4},
      {"rank 9", with_shape("[1,1,1,1,1,1,1,1,1]"), 4},
      {"shape larger than data", with_shape("[2]"), 4},
      {"shape smaller than data", with_shape("[0]"), 4},
      {"offsets reversed", with_offsets("[4,0]"), 4},
      {"offset negative", with_offsets("[-4,0]"), 4},
      {"one offset", with_offsets("[4]"), 4},
      {"three offsets", with_offsets("[0,4,4]"), 4},
      {"offsets beyond the file", with_offsets("[4,8]"), 4},
      {"offsets far beyond", with_offsets("[9223372036854775803,9223372036854775807]"), 4},
      {"offsets as strings", with_offsets("[\"0\",\"4\"]"), 4},
      {"offsets object", with_offsets("{\"0\":4}"), 4},
      {"hole at the start", with_offsets("[4,8]"), 8},
      {"extra bytes at the end", with_offsets("[0,4]"), 5},
      {"data without tensors", "{}", 1},
      {"overlap", two("[0,4]", "[2,6]"), 6},
      {"same bytes twice", two("[0,4]", "[0,4]"), 4},
      {"hole between", two("[0,4]", "[8,12]"), 12},
      {"metadata number", R"({"__metadata__":{"a":1}})", 0},
      {"metadata array", R"({"__metadata__":[]})", 0},
      {"metadata twice", R"({"__metadata__":{},"__metadata__":{}})", 0},
      {"name of 64 KiB and one",
       concat("{\"", std::string(kMaxTensorName + 1, 'n'), R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"),
       4},
  };
  for (const Damage& damage : damages) EXPECT_EQ(code_of(damage.header, damage.data_bytes), damage.code) << damage.what;
}

TEST(SafetensorsHeader, UnsortedOffsetsAreFine) {
  EXPECT_EQ(code_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                    R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                    8),
            StatusCode::kOk);
}

TEST(SafetensorsHeader, ErrorsNameFileTensorAndRemedy) {
  const auto header = parse_safetensors_header(R"({"lm_head.weight":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})",
                                               100, 108, "dir/m.safetensors");
  EXPECT_EQ(header.status().message(),
            "dir/m.safetensors: tensor lm_head.weight has type F64; convert the checkpoint to F32, F16 or BF16");
}

TEST(SafetensorsHeader, EveryPrefixOfAFileIsRefused) {
  const std::string whole = test::SafetensorsWriter()
                                .add_f32("weight", {2, 2}, std::vector<float>{1, 2, 3, 4})
                                .add_f32("bias", {2}, std::vector<float>{5, 6})
                                .finish(3);
  ASSERT_TRUE(read(whole).ok());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(read(whole.substr(0, length)).status().code(), StatusCode::kBadCheckpoint) << length;
  }
}

TEST(SafetensorsHeader, EveryFlippedBitOfTheHeaderIsAnErrorOrAnotherHeader) {
  const std::string whole = test::SafetensorsWriter().add_f32("w", {2, 1}, std::vector<float>{1, 2}).finish();
  for (size_t bit = 64; bit < (whole.size() - 8) * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const std::string_view header = std::string_view(damaged).substr(8, damaged.size() - 16);
    const auto parsed = parse_safetensors_header(header, damaged.size() - 8, damaged.size(), "m");
    if (parsed.ok()) {
      for (const TensorInfo& tensor : parsed->tensors) EXPECT_LE(tensor.offset + tensor.bytes, damaged.size());
    }
  }
}

TEST(SafetensorsHeader, ManyTensorsTakeLinearTime) {
  test::SafetensorsWriter writer;
  constexpr int kCount = 20'000;
  for (int i = 0; i < kCount; ++i) writer.add(concat("t", i), "F16", std::vector<int64_t>{1}, "xx");
  const auto header = read(writer.finish());
  ASSERT_TRUE(header.ok()) << header.status().message();
  EXPECT_EQ(header->tensors.size(), static_cast<size_t>(kCount));
}

}  // namespace
}  // namespace scrooge::checkpoint
