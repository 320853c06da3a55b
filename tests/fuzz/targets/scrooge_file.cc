// SPDX-License-Identifier: Apache-2.0
// A .scrooge file, as it is and with its checksums put right, so that the checks behind them are reached too: open,
// verify, describe, and read rows.
#include <algorithm>

#include "src/container/inspect.h"
#include "src/container/payload_check.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/sealed_file.h"
#include "tests/support/model_file.h"
#include "tests/support/temp_folder.h"

namespace scrooge::fuzz {
namespace {

using namespace container;  // NOLINT(google-build-using-namespace)

constexpr uint64_t kMostFloats = 1 << 16;

void read(std::string_view input) {
  (void)ModelReader::open(memory_file(input), OpenLevel::kBounds);
  const auto reader = ModelReader::open(memory_file(input));
  if (!reader.ok()) {
    require(reader.status().message().find("input") != std::string_view::npos, "an error names the file");
    return;
  }
  (void)check_payload(reader->file(), reader->metadata(), reader->superblock());
  require(inspect_json(*reader).size() > 2 && !inspect_text(*reader).empty(), "a file that opens can be described");
  for (const TensorRecord& tensor : reader->tensors()) {
    require(reader->find(tensor.description.name) == &tensor, "a tensor is found by its name");
    for (const PlaneRecord& plane : tensor.planes) {
      const auto bytes = reader->plane(tensor, plane.kind);
      require(bytes.size() == plane.size, "a plane is as large as it says");
    }
    if (tensor.description.cols > kMostFloats) continue;
    std::vector<float> row(tensor.description.cols);
    (void)reader->read_rows(tensor, 0, 1, row);
    (void)reader->read_rows(tensor, tensor.description.rows - 1, 1, row);
    require(!reader->read_rows(tensor, tensor.description.rows, 1, row).ok(), "there is no row after the last");
    reader->drop(tensor);
  }
  require(encode_metadata(reader->metadata()).ok(), "an index that was read can be written");
}

std::string written(const ModelInfo& info, TensorLayout layout = {}) {
  const test::TempFolder folder;
  require(write_sample(folder / "m.scrooge", info, {12, 8}, layout).ok(), "a sample is written");
  const Bytes bytes = read_bytes(folder / "m.scrooge");
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  ModelInfo plain;
  plain.architecture = "llama";
  return {written(sample_info()), written(plain), written(plain, {LayoutId::kInterleaved, 4, 8}),
          written(plain, {LayoutId::kAwq, 0, 0})};
}

void run(std::string_view input) {
  read(input);
  const std::string other = sealed_file(input);
  if (other != input) read(other);
}

}  // namespace scrooge::fuzz
