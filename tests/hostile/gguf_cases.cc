// SPDX-License-Identifier: Apache-2.0
// model.gguf as a container: counts, strings, arrays, the tensor table and where its data lies.
#include "src/checkpoint/checkpoint.h"
#include "tests/hostile/hostile_case.h"
#include "tests/support/gguf_writer.h"

namespace scrooge::hostile {
namespace {

using test::ByteWriter;
using test::GgufWriter;

constexpr std::string_view kFile = "model.gguf";
constexpr StatusCode kBad = StatusCode::kBadCheckpoint;
constexpr uint64_t kHuge = ~uint64_t{0};

class Table {
 public:
  void add(std::string name, std::string content, std::string mention = "", StatusCode code = kBad) {
    cases_.push_back(file_case(std::move(name), kFile, std::move(content), code, std::move(mention)));
  }
  void add(std::string name, const GgufWriter& writer, std::string mention = "", StatusCode code = kBad) {
    add(std::move(name), writer.finish(), std::move(mention), code);
  }
  // One metadata value "k" from its type and payload.
  void value(std::string name, uint32_t type, std::string_view payload, std::string mention = "k") {
    add(std::move(name), GgufWriter().value("k", type, payload), std::move(mention));
  }
  void array(std::string name, uint32_t element, uint64_t count, std::string_view elements = "") {
    value(std::move(name), 9, ByteWriter().put(element).put(count).raw(elements).bytes());
  }
  // One f32 tensor "w" of these dimensions over 8 bytes.
  void dimensions(std::string name, const std::vector<uint64_t>& list, std::string mention = "w") {
    add(std::move(name), GgufWriter().tensor("w", 0, list, "xxxxxxxx"), std::move(mention));
  }
  void offset(std::string name, uint64_t number) {
    add(std::move(name), GgufWriter().tensor("w", 0, {1}, "xxxx", number), "offset");
  }
  std::vector<Case> take() { return std::move(cases_); }

 private:
  std::vector<Case> cases_;
};

std::string preamble(uint64_t tensors, uint64_t values, std::string_view rest) {
  return ByteWriter().raw("GGUF").put(3u).put(tensors).put(values).raw(rest).bytes();
}

void add_preamble(Table& table) {
  const auto version = [&](uint32_t number, StatusCode code = kBad) {
    GgufWriter writer;
    writer.version = number;
    table.add(concat("version ", number), writer, "", code);
  };
  table.add("empty file", std::string(), "GGUF");
  table.add("three bytes", std::string("GGU"), "GGUF");
  table.add("magic only", std::string("GGUF"), "ends");
  table.add("other magic", "GGML" + std::string(60, '\0'), "GGUF");
  table.add("magic backwards", "FUGG" + std::string(60, '\0'), "GGUF");
  version(0);
  version(1, StatusCode::kUnsupported);
  version(4, StatusCode::kUnsupported);
  version(~0u, StatusCode::kUnsupported);
  version(0x03000000, StatusCode::kUnsupported);
  const auto counts = [&](std::string name, uint64_t tensors, uint64_t values) {
    GgufWriter writer = GgufWriter().u32("a", 1).tensor("w", 0, {1}, "xxxx");
    writer.tensor_count = tensors;
    writer.value_count = values;
    table.add(std::move(name), writer);
  };
  counts("2^64-1 tensors", kHuge, 1);
  counts("2^63 tensors", uint64_t{1} << 63, 1);
  counts("2^32 tensors", uint64_t{1} << 32, 1);
  counts("tensor count times size wraps", kHuge / 33 + 2, 1);
  counts("one tensor too many", 2, 1);
  counts("2^64-1 values", 1, kHuge);
  counts("value count times size wraps", 1, kHuge / 14 + 2);
  counts("one value too many", 1, 2);
  table.add("million and one values that fit", preamble(0, 1'000'001, std::string(14'100'000, '\0')), "limit");
}

void add_values(Table& table) {
  table.add("empty key", GgufWriter().u32("", 1));
  table.add("key of 64 KiB and one", GgufWriter().u32(std::string(65537, 'k'), 1));
  table.add("key beyond the file", preamble(0, 1, ByteWriter().put(kHuge).raw(std::string(32, 'x')).bytes()));
  table.add("key length wraps the position",
            preamble(0, 1, ByteWriter().put(kHuge - 31).raw(std::string(32, 'x')).bytes()));
  table.add("key twice", GgufWriter().u32("a", 1).u32("b", 1).u32("a", 2), "twice");
  table.value("value type 13", 13, "xxxxxxxx");
  table.value("value type 2^31", 1u << 31, "xxxxxxxx");
  table.value("value type 2^32-1", ~0u, "xxxxxxxx");
  table.value("bool 2", 7, "\x02");
  table.value("bool 255", 7, "\xff");
  table.value("string beyond the file", 8, ByteWriter().put(uint64_t{1000}).bytes());
  table.value("string of 2^63", 8, ByteWriter().put(uint64_t{1} << 63).raw("abcdefgh").bytes());
  table.value("string of 2^64-1", 8, ByteWriter().put(kHuge).raw("abcdefgh").bytes());
  table.array("array type 13", 13, 1, "xxxxxxxx");
  table.array("array beyond the file", 4, 1000);
  table.array("array count wraps", 10, uint64_t{1} << 61, "xxxxxxxx");
  table.array("array count wraps to a fit", 10, (uint64_t{1} << 61) + 1, "xxxxxxxx");
  table.array("array of 2^64-1 bytes", 0, kHuge);
  table.array("array of too many strings", 8, 7, ByteWriter().put(uint64_t{0}).put(uint64_t{0}).bytes());
  table.array("array of too many bools", 7, 100, "\x01");
  table.array("array with bool 2", 7, 2, "\x01\x02");
  table.array("array with a long string", 8, 1, ByteWriter().put(kHuge).bytes());
  std::string nested = ByteWriter().put(4u).put(uint64_t{0}).bytes();
  for (int i = 0; i < 5; ++i) nested = ByteWriter().put(9u).put(uint64_t{1}).raw(nested).bytes();
  table.value("arrays nested too deep", 9, nested);
  table.array("nested count wraps", 9, kHuge / 12 + 2, ByteWriter().put(4u).put(uint64_t{0}).bytes());
}

void add_alignments(Table& table) {
  for (const uint32_t number : {0u, 3u, 31u, 33u, 48u, 1u << 31, ~0u}) {
    table.add(concat("alignment ", number), GgufWriter().u32("general.alignment", number).tensor("w", 0, {1}, "xxxx"),
              "general.alignment");
  }
  table.add("alignment is text", GgufWriter().text("general.alignment", "32"), "general.alignment");
  table.add("alignment is an array", GgufWriter().array("general.alignment", 4, 1, "\x20\0\0\0"), "general.alignment");
  table.add("alignment is a float", GgufWriter().f32("general.alignment", 32), "general.alignment");
  table.add("alignment is negative", GgufWriter().value("general.alignment", 5, ByteWriter().put(int32_t{-32}).bytes()),
            "general.alignment");
  table.add("alignment 2^63", GgufWriter().value("general.alignment", 10, ByteWriter().put(uint64_t{1} << 63).bytes()),
            "general.alignment");
}

void add_tensors(Table& table) {
  table.add("empty tensor name", GgufWriter().tensor("", 0, {1}, "xxxx"));
  table.add("tensor name of 64 KiB and one", GgufWriter().tensor(std::string(65537, 't'), 0, {1}, "xxxx"));
  table.add("tensor twice",
            GgufWriter().tensor("w", 0, {1}, "xxxx").tensor("v", 0, {1}, "xxxx").tensor("w", 0, {1}, "xxxx"), "twice");
  table.dimensions("rank 0", {});
  table.dimensions("rank 5", {1, 1, 1, 1, 1});
  table.dimensions("zero dimension", {0});
  table.dimensions("zero outer dimension", {2, 0});
  table.dimensions("negative dimension", {kHuge});
  table.dimensions("negative times negative", {kHuge, kHuge});
  table.dimensions("2^63 dimension", {uint64_t{1} << 63});
  table.dimensions("2^63-1 dimension", {(uint64_t{1} << 63) - 1});
  table.dimensions("product wraps to 0", {uint64_t{1} << 32, uint64_t{1} << 32});
  table.dimensions("product wraps to 1", {(uint64_t{1} << 32) + 1, (uint64_t{1} << 32) - 1, 1});
  table.dimensions("product is negative", {uint64_t{1} << 32, uint64_t{1} << 31});
  table.dimensions("bytes wrap", {(uint64_t{1} << 62) + 2});
  table.dimensions("larger than the file", {3});
  table.offset("offset not aligned", 4);
  table.offset("offset beyond the file", 1 << 20);
  table.offset("offset wraps", kHuge - 31);
  table.offset("offset 2^63", uint64_t{1} << 63);
  table.offset("offset 2^64-1", kHuge);
  table.add("overlap", GgufWriter().tensor("w", 0, {16}, std::string(64, 'x')).tensor("v", 0, {1}, "xxxx", 32),
            "overlaps");
  table.add("same bytes twice", GgufWriter().tensor("w", 0, {1}, "xxxx").tensor("v", 0, {1}, "xxxx", 0), "overlaps");
  table.add("row not whole blocks", GgufWriter().tensor("w", 2, {48, 2}, std::string(54, 'x')), "blocks");
  table.add("row not whole super-blocks", GgufWriter().tensor("w", 12, {128, 2}, std::string(144, 'x')), "blocks");
  table.add("blocks cut short", GgufWriter().tensor("w", 8, {32, 2}, std::string(67, 'x')), "end outside");
  for (const uint32_t type : {4u, 9u, 10u, 11u, 20u, 24u, 28u, 39u, 1000u, ~0u}) {
    table.add(concat("tensor type ", type), GgufWriter().tensor("w", type, {256}, std::string(2048, 'x')), "w",
              StatusCode::kUnsupported);
  }
}

void add_splits(Table& table) {
  table.add("one part of three", GgufWriter().value("split.count", 2, ByteWriter().put(uint16_t{3}).bytes()), "split",
            StatusCode::kUnsupported);
  table.add("split count is text", GgufWriter().text("split.count", "3"), "split.count", StatusCode::kBadConfig);
  table.add("split count is negative", GgufWriter().value("split.count", 1, "\xff"), "split.count",
            StatusCode::kBadConfig);
}

}  // namespace

Format gguf_format() {
  return {"gguf", "model.gguf",
          [](const Place& place) {
            place.write(kFile, GgufWriter().text("name", "x").tensor("w", 0, {2}, std::string(8, '\0')).finish());
          },
          [](const std::string& folder) { return checkpoint::open_checkpoint(folder + "/model.gguf").status(); },
          [] {
            Table table;
            add_preamble(table);
            add_values(table);
            add_alignments(table);
            add_tensors(table);
            add_splits(table);
            return table.take();
          }};
}

}  // namespace scrooge::hostile
