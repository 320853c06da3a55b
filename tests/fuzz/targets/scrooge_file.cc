// SPDX-License-Identifier: Apache-2.0
// A .scrooge file, as it is and with its checksums put right, so that the checks behind them are reached too: open,
// verify, describe, and read rows.
#include <algorithm>

#include "src/container/inspect.h"
#include "src/container/payload_check.h"
#include "tests/fuzz/memory_file.h"
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

// The superblock believes the input about everything but sizes and checksums.
std::string sealed(std::string_view input) {
  Bytes file(input.size());
  std::copy(input.begin(), input.end(), reinterpret_cast<char*>(file.data()));
  if (file.size() < kSuperblockBytes) return std::string(input);
  Superblock block;
  const auto number = [&](size_t at, size_t bytes) {
    uint64_t value = 0;
    std::memcpy(&value, file.data() + at, bytes);
    return value;
  };
  block.version_minor = static_cast<uint16_t>(number(10, 2));
  block.size = static_cast<uint32_t>(number(12, 4));
  block.alignment = {static_cast<uint8_t>(number(20, 1)), static_cast<uint8_t>(number(21, 1))};
  block.meta_offset = number(24, 8);
  block.meta_size = number(32, 8);
  while (block.alignment.valid() && file.size() % block.alignment.segment() != 0) file.push_back(std::byte{});
  block.file_size = file.size();
  if (!CheckedSize(block.meta_offset).range_fits(block.meta_size, file.size())) return std::string(input);
  reseal(file, block);
  return std::string(reinterpret_cast<const char*>(file.data()), file.size());
}

std::string written(const ModelInfo& info) {
  const test::TempFolder folder;
  require(write_sample(folder / "m.scrooge", info, {12, 8}).ok(), "a sample is written");
  const Bytes bytes = read_bytes(folder / "m.scrooge");
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  ModelInfo plain;
  plain.architecture = "llama";
  return {written(sample_info()), written(plain)};
}

void run(std::string_view input) {
  read(input);
  const std::string other = sealed(input);
  if (other != input) read(other);
}

}  // namespace scrooge::fuzz
