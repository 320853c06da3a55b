// SPDX-License-Identifier: Apache-2.0
// A GGUF file: header, every value through every typed read, tensor rows, the model's config and its tokenizer.
#include "src/checkpoint/gguf_header.h"

#include "src/checkpoint/gguf_tensors.h"
#include "src/checkpoint/mapped_weights.h"
#include "src/model/model_config.h"
#include "src/pipeline/gguf_bridge.h"
#include "tests/fuzz/memory_file.h"
#include "tests/support/tiny_gguf.h"

namespace scrooge::fuzz {
namespace {

using checkpoint::GgufHeader;

constexpr int64_t kMostFloats = 1 << 16;

void read_values(const GgufHeader& header) {
  for (const checkpoint::GgufValue& value : header.values()) {
    (void)value.as_u64();
    (void)value.as_i64();
    (void)value.as_f64();
    (void)value.as_bool();
    (void)value.as_string();
    (void)value.as_ints();
    (void)value.as_floats();
    if (const auto strings = value.as_strings(); strings.ok()) {
      require(strings->size() == value.array_length(), "an array has its length");
    }
    require(header.find(value.key()).has_value(), "a value is found by its key");
  }
}

void read_tensors(const GgufHeader& header, FileMap file) {
  auto tensors = checkpoint::gguf_tensors(header, file.size());
  if (!tensors.ok()) return;
  std::vector<FileMap> files;
  files.push_back(std::move(file));
  const auto weights = checkpoint::MappedWeights::make(std::move(files), std::move(*tensors));
  require(weights.ok(), "a table that was checked is accepted");
  for (const checkpoint::TensorInfo& tensor : (*weights)->tensors()) {
    if (tensor.cols() > kMostFloats) continue;
    std::vector<float> row(static_cast<size_t>(tensor.cols()));
    require((*weights)->read_rows(tensor, tensor.rows() - 1, 1, row).ok(), "the last row can be read");
  }
}

void read_model(const GgufHeader& header) {
  if (const auto config = pipeline::gguf_config_json(header); config.ok()) {
    (void)model::parse_model_config(*config, "input");
  }
  auto vocabulary = pipeline::gguf_vocabulary(header);
  if (!vocabulary.ok()) return;
  const auto tokenizer = tokenizer::Tokenizer::from_gguf(std::move(*vocabulary), "input");
  if (!tokenizer.ok()) return;
  const auto ids = (*tokenizer)->encode("ab b <s> \xff\n12");
  if (ids.ok()) require((*tokenizer)->decode(*ids).ok(), "what was encoded can be decoded");
}

}  // namespace

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  using test::ByteWriter;
  using test::GgufWriter;
  test::TinyGguf scored;
  scored.values["tokenizer.ggml.model"] = {8, GgufWriter::string_bytes("llama")};
  scored.values["tokenizer.ggml.tokens"] = test::TinyGguf::strings({"<unk>", "<0x0A>", "a", "b", "ab"});
  scored.values["tokenizer.ggml.token_type"] = test::TinyGguf::i32s({2, 6, 1, 1, 1});
  scored.values["tokenizer.ggml.scores"] = {
      9, ByteWriter().put(6u).put(uint64_t{5}).put(0.f).put(0.f).put(-1.f).put(-2.f).put(-3.f).bytes()};
  // Keys only: small, so that mutations hit them.
  test::TinyGguf keys;
  keys.tensors.clear();
  keys.tensors["token_embd.weight"].dimensions = {2, 1};
  return {test::TinyGguf().finish(), scored.finish(), keys.finish(),
          GgufWriter()
              .set_alignment(64)
              .tensor("q", 2, {32, 2}, std::string(36, '\x11'))
              .tensor("k", 14, {256}, std::string(210, '\x22'))
              .finish(),
          GgufWriter()
              .array("n", 9, 1, ByteWriter().put(4u).put(uint64_t{1}).put(9u).bytes())
              .value("b", 7, "\x01")
              .tensor("w", 0, {2}, "abcdefgh")
              .finish()};
}

void run(std::string_view input) {
  FileMap file = memory_file(input);
  const auto header = GgufHeader::read(file);
  if (!header.ok()) return;
  const auto again = GgufHeader::parse(header->header_bytes(), "copy");
  require(again.ok() && again->tensors().size() == header->tensors().size(), "a header reads back alone");
  read_values(*header);
  read_tensors(*header, std::move(file));
  read_model(*header);
}

}  // namespace scrooge::fuzz
