// SPDX-License-Identifier: Apache-2.0
// A safetensors file: header, table, and the rows of every tensor.
#include "src/checkpoint/mapped_weights.h"
#include "src/checkpoint/safetensors_header.h"
#include "tests/fuzz/memory_file.h"
#include "tests/support/safetensors_writer.h"

namespace scrooge::fuzz {
namespace {

constexpr int64_t kMostFloats = 1 << 16;

}  // namespace

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  return {test::SafetensorsWriter().add_f32("w", {2, 3}, values).finish(),
          test::SafetensorsWriter()
              .add_f32("a.weight", {6}, values)
              .add("b", "BF16", std::vector<int64_t>{2, 1}, "abcd")
              .add("c", "F16", std::vector<int64_t>{}, "ab")
              .add("d", "I64", std::vector<int64_t>{1}, "12345678")
              .add("e", "F32", std::vector<int64_t>{0, 4}, "")
              .finish(5),
          test::safetensors_file(R"({"__metadata__":{"format":"pt"}})", ""),
          test::safetensors_file(R"({"w":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}})", "abcd")};
}

void run(std::string_view input) {
  FileMap file = memory_file(input);
  const uint64_t size = file.size();
  auto header = checkpoint::read_safetensors_header(file);
  if (!header.ok()) return;
  for (const checkpoint::TensorInfo& tensor : header->tensors) {
    require(tensor.offset <= size && tensor.bytes <= size - tensor.offset, "a tensor lies inside the file");
  }
  std::vector<FileMap> files;
  files.push_back(std::move(file));
  const auto weights = checkpoint::MappedWeights::make(std::move(files), std::move(header->tensors));
  if (!weights.ok()) return;
  for (const checkpoint::TensorInfo& tensor : (*weights)->tensors()) {
    require((*weights)->find(tensor.name) != nullptr, "a tensor is found by its name");
    if (tensor.rows() == 0 || tensor.cols() > kMostFloats) continue;
    std::vector<float> row(static_cast<size_t>(tensor.cols()));
    require((*weights)->read_rows(tensor, tensor.rows() - 1, 1, row).ok(), "the last row can be read");
    require(!(*weights)->read_rows(tensor, tensor.rows(), 1, row).ok(), "there is no row after the last");
    (*weights)->prefetch(tensor);
    (*weights)->drop(tensor);
  }
}

}  // namespace scrooge::fuzz
