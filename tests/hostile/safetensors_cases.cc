// SPDX-License-Identifier: Apache-2.0
// model.safetensors: the length, the JSON header, each tensor's fields, and how tensors cover the data.
#include "src/checkpoint/checkpoint.h"
#include "tests/hostile/hostile_case.h"
#include "tests/support/safetensors_writer.h"

namespace scrooge::hostile {
namespace {

constexpr std::string_view kFile = "model.safetensors";
constexpr StatusCode kBad = StatusCode::kBadCheckpoint;

class Table {
 public:
  // The whole file as it is.
  void raw(std::string name, std::string content, std::string mention = "") {
    cases_.push_back(file_case(std::move(name), kFile, std::move(content), kBad, std::move(mention)));
  }
  // A correct length in front of `header`, then `data` bytes.
  void header(std::string name, std::string_view text, size_t data, std::string mention = "", StatusCode code = kBad) {
    cases_.push_back(file_case(std::move(name), kFile, test::safetensors_file(text, std::string(data, 'x')), code,
                               std::move(mention)));
  }
  // One tensor "w" with these members.
  void tensor(std::string name, std::string_view members, size_t data, std::string mention = "w",
              StatusCode code = kBad) {
    header(std::move(name), concat("{\"w\":{", members, "}}"), data, std::move(mention), code);
  }
  void dtype(std::string name, std::string_view value, std::string mention, StatusCode code = kBad, size_t data = 4,
             std::string_view shape = "[1]") {
    tensor(std::move(name), concat("\"dtype\":", value, ",\"shape\":", shape, ",\"data_offsets\":[0,", data, "]"), data,
           std::move(mention), code);
  }
  void shape(std::string name, std::string_view value, std::string mention = "shape") {
    tensor(std::move(name), concat(R"("dtype":"F32","data_offsets":[0,4],"shape":)", value), 4, std::move(mention));
  }
  void offsets(std::string name, std::string_view value, std::string mention = "data_offsets", size_t data = 4) {
    tensor(std::move(name), concat(R"("dtype":"F32","shape":[1],"data_offsets":)", value), data, std::move(mention));
  }
  // Tensors "a" and "b" of one F32 each.
  void two(std::string name, std::string_view first, std::string_view second, size_t data, std::string mention) {
    header(std::move(name),
           concat(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)", first,
                  R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)", second, "}}"),
           data, std::move(mention));
  }
  std::vector<Case> take() { return std::move(cases_); }

 private:
  std::vector<Case> cases_;
};

std::string length_then(uint64_t length, std::string_view rest = "{}      ") {
  return test::ByteWriter().put(length).raw(rest).bytes();
}

void add_lengths(Table& table) {
  table.raw("empty file", "", "too few");
  table.raw("1 byte", "\x02", "too few");
  table.raw("7 bytes", std::string(7, '\0'), "too few");
  table.raw("8 zero bytes", std::string(8, '\0'), "{");
  table.raw("length 1", length_then(1), "");
  table.raw("length 2^31", length_then(uint64_t{1} << 31), "header length");
  table.raw("length 2^32", length_then(uint64_t{1} << 32), "header length");
  table.raw("length 2^63", length_then(uint64_t{1} << 63), "header length");
  table.raw("length 2^64-1", length_then(~uint64_t{0}), "header length");
  table.raw("length 2^64-8", length_then(~uint64_t{0} - 7), "header length");
  table.raw("length of the file", length_then(16), "header length");
  table.raw("length of the file - 7", length_then(9), "header length");
  table.raw("length 100 MB and one", length_then(100'000'001), "limit");
  table.raw("another format", std::string("GGUF\3\0\0\0 and more bytes", 23), "header length");
}

void add_syntax(Table& table) {
  table.header("only spaces", "     ", 0, "{");
  table.header("not JSON", "hello", 0, "{");
  table.header("array", "[]", 0, "{");
  table.header("string", "\"{}\"", 0, "{");
  table.header("byte order mark", "\xef\xbb\xbf{}", 0, "{");
  table.header("NUL before", std::string("\0{}", 3), 0, "{");
  table.header("NUL after", std::string("{}\0", 3), 0, "JSON");
  table.header("vertical tab before", "\v{}", 0, "{");
  table.header("garbage after", "{}x", 0, "JSON");
  table.header("second object", "{}{}", 0, "JSON");
  table.header("unclosed object", "{\"w\":{", 0, "JSON");
  table.header("unclosed string", "{\"w", 0, "JSON");
  table.header("trailing comma", "{\"__metadata__\":{},}", 0, "JSON");
  table.header("single quotes", "{'w':{}}", 0, "JSON");
  table.header("invalid UTF-8", "{\"\xff\":1}", 0, "JSON");
  table.header("lone surrogate in UTF-8", "{\"\xed\xa0\x80\":1}", 0, "JSON");
  table.header("overlong UTF-8", "{\"\xc0\xaf\":1}", 0, "JSON");
  table.header("raw control character", "{\"a\nb\":1}", 0, "JSON");
  table.header("nesting of 17", concat("{\"w\":", std::string(16, '['), std::string(16, ']'), "}"), 0);
  table.header("100 k brackets", concat("{\"w\":", std::string(100'000, '['), "}"), 0, "JSON");
  table.header("tensor is a number", "{\"w\":1}", 0, "w");
  table.header("tensor is null", "{\"w\":null}", 0, "w");
  table.header("tensor is an array", "{\"w\":[]}", 0, "w");
  table.header("metadata is an array", R"({"__metadata__":[]})", 0, "__metadata__");
  table.header("metadata holds a number", R"({"__metadata__":{"format":1}})", 0, "__metadata__");
  table.header("metadata holds an object", R"({"__metadata__":{"format":{}}})", 0, "__metadata__");
  table.header("metadata holds null", R"({"__metadata__":{"format":null}})", 0, "__metadata__");
  table.header("metadata twice", R"({"__metadata__":{},"__metadata__":{}})", 0, "__metadata__");
  table.header("data without tensors", "{}", 1, "belong to none");
}

void add_fields(Table& table) {
  table.tensor("no dtype", R"("shape":[1],"data_offsets":[0,4])", 4, "dtype");
  table.tensor("no shape", R"("dtype":"F32","data_offsets":[0,4])", 4, "shape");
  table.tensor("no data_offsets", R"("dtype":"F32","shape":[1])", 4, "data_offsets");
  table.tensor("dtype twice", R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])", 4, "dtype");
  table.tensor("shape twice", R"("dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4])", 4, "shape");
  table.tensor("offsets twice", R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"data_offsets":[0,4])", 4,
               "data_offsets");
  table.tensor("offsets twice by escape", R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"data\u005foffsets":[0,4])",
               4, "data_offsets");
  table.dtype("unknown dtype", "\"F31\"", "F31");
  table.dtype("lower-case dtype", "\"f32\"", "f32");
  table.dtype("dtype with a space", "\"F32 \"", "F32 ");
  table.dtype("empty dtype", "\"\"", "dtype");
  table.dtype("dtype is a number", "32", "dtype");
  table.dtype("dtype is null", "null", "dtype");
  table.dtype("odd bits of F4", "\"F4\"", "whole number of bytes", kBad, 2, "[3]");
  table.dtype("odd bits of F6_E2M3", "\"F6_E2M3\"", "whole number of bytes", kBad, 1, "[1]");
  for (const char* type : {"F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ"}) {
    table.dtype(concat("weight of type ", type), concat("\"", type, "\""), type, StatusCode::kUnsupported, 4, "[4]");
  }
  table.dtype("weight of type F64", "\"F64\"", "F64", StatusCode::kUnsupported, 8);
  table.dtype("weight of type F4", "\"F4\"", "F4", StatusCode::kUnsupported, 4, "[8]");
  table.dtype("weight of type C64", "\"C64\"", "C64", StatusCode::kUnsupported, 8);
}

void add_shapes(Table& table) {
  table.shape("negative dimension", "[-1]");
  table.shape("float dimension", "[1.0]");
  table.shape("exponent dimension", "[1e0]");
  table.shape("1e3 dimension", "[1e3]");
  table.shape("1e999 dimension", "[1e999]", "");
  table.shape("NaN dimension", "[NaN]", "JSON");
  table.shape("string dimension", "[\"1\"]");
  table.shape("boolean dimension", "[true]");
  table.shape("null dimension", "[null]");
  table.shape("array dimension", "[[1]]");
  table.shape("-0 dimension", "[-0]", "");
  table.shape("leading zero", "[01]", "JSON");
  table.shape("2^31 dimension", "[2147483648]", "");
  table.shape("2^53+1 dimension", "[9007199254740993]", "");
  table.shape("2^63 dimension", "[9223372036854775808]");
  table.shape("2^64 dimension", "[18446744073709551616]", "");
  table.shape("elements overflow", "[4294967296,4294967296]");
  table.shape("elements wrap to a small number", "[4294967297,4294967296]");
  table.shape("overflow hidden by a zero", "[4611686018427387904,4,0]");
  table.shape("bits overflow", "[2305843009213693952]");
  table.shape("bytes overflow", "[4611686018427387905]");
  table.shape("shape is a number", "1");
  table.shape("shape is null", "null");
  table.shape("shape is text", "\"[1]\"");
  table.shape("rank 9", "[1,1,1,1,1,1,1,1,1]");
  table.shape("larger than the data", "[2]", "need 8");
  table.shape("smaller than the data", "[0]", "need 0");
}

void add_offsets(Table& table) {
  table.offsets("reversed", "[4,0]");
  table.offsets("negative begin", "[-4,0]");
  table.offsets("negative end", "[0,-4]");
  table.offsets("one", "[4]");
  table.offsets("none", "[]");
  table.offsets("three", "[0,4,4]");
  table.offsets("floats", "[0.0,4.0]");
  table.offsets("text", "[\"0\",\"4\"]");
  table.offsets("an object", R"({"0":4})");
  table.offsets("2^63", "[0,9223372036854775808]");
  table.offsets("2^64-1", "[18446744073709551611,18446744073709551615]");
  table.offsets("just below 2^63", "[9223372036854775803,9223372036854775807]");
  table.offsets("one past the file", "[0,5]");
  table.offsets("beyond the file", "[4,8]");
  table.offsets("hole at the start", "[4,8]", "hole", 8);
  table.offsets("a byte too many at the end", "[0,4]", "belong to none", 5);
  table.offsets("a shard cut short", "[0,4]", "beyond", 3);
  table.two("overlap", "[0,4]", "[2,6]", 6, "overlaps");
  table.two("same bytes twice", "[0,4]", "[0,4]", 4, "overlaps");
  table.two("hole between", "[0,4]", "[8,12]", 12, "hole");
  table.two("gap of one byte", "[0,4]", "[5,9]", 9, "hole");
}

void add_names(Table& table) {
  const auto named = [](std::string_view name) {
    return concat("\"", name, R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})");
  };
  table.header("duplicate name", concat("{", named("w"), ",", named("w"), "}"), 4, "twice");
  table.header("duplicate name by escape", concat("{", named("w"), ",", named("\\u0077"), "}"), 4, "twice");
  table.header("name of 64 KiB and one", concat("{", named(std::string((64 << 10) + 1, 'n')), "}"), 4, "64 KiB");
  std::string many = "{";
  for (int i = 0; i < 3000; ++i) many += concat(i == 0 ? "" : ",", named(concat("t", i)));
  table.header("3000 tensors on the same bytes", many + "}", 4, "overlaps");
}

}  // namespace

Format safetensors_format() {
  return {"safetensors", "model.safetensors",
          [](const Place& place) {
            place.write("config.json", "{}");
            place.write(kFile, test::SafetensorsWriter().add_f32("w", {2}, std::vector<float>{1, 2}).finish());
          },
          [](const std::string& folder) { return checkpoint::open_checkpoint(folder).status(); },
          [] {
            Table table;
            add_lengths(table);
            add_syntax(table);
            add_fields(table);
            add_shapes(table);
            add_offsets(table);
            add_names(table);
            return table.take();
          }};
}

}  // namespace scrooge::hostile
