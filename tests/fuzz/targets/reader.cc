// SPDX-License-Identifier: Apache-2.0
// A .scrooge file through the reader for runtimes, as it is and with its checksums put right: every field, every plane,
// rows. What it accepts the library accepts, and both read the same.
#include <algorithm>
#include <memory>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/sealed_file.h"
#include "tests/reader/comparison.h"
#include "tests/support/temp_folder.h"

namespace scrooge::fuzz {
namespace {

using namespace container;  // NOLINT(google-build-using-namespace)

constexpr uint64_t kMostFloats = 1 << 16;
constexpr uint32_t kMostTensors = 64;  // whose rows are read

// Ends where its allocation ends, so that a sanitizer sees a byte read too many; aligned as a map would be.
class Buffer {
 public:
  explicit Buffer(std::string_view content)
      : room_(new (std::align_val_t{SCROOGE_READER_ALIGNMENT}) std::byte[content.size() + (content.empty() ? 1 : 0)]),
        size_(content.size()) {
    if (size_ > 0) std::memcpy(room_, content.data(), size_);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { ::operator delete[](room_, std::align_val_t{SCROOGE_READER_ALIGNMENT}); }
  std::span<const std::byte> bytes() const { return {room_, size_}; }

 private:
  std::byte* room_;
  size_t size_;
};

void read_rows(const scrooge_reader_tensor& tensor) {
  for (uint32_t i = 0; i < tensor.plane_count; ++i) (void)scrooge_reader_verify_plane(&tensor.planes[i]);
  if (tensor.cols > kMostFloats) return;
  std::vector<float> row(tensor.cols);
  const auto first = scrooge_reader_dequantize_row(&tensor, 0, row.data(), row.size());
  const auto last = scrooge_reader_dequantize_row(&tensor, tensor.rows - 1, row.data(), row.size());
  require(first == last, "the first and the last row can be read or neither");
  const auto after = scrooge_reader_dequantize_row(&tensor, tensor.rows, row.data(), row.size());
  require(after == SCROOGE_READER_INVALID_ARGUMENT, "there is no row after the last");
}

// Shared tables are charged for differently by the two.
bool is_sharing(const Status& status) { return status.message().find("shared without end") != std::string_view::npos; }

void read(std::string_view input) {
  const Buffer buffer(input);
  scrooge_reader reader;
  std::vector<scrooge_reader_name> room;
  const auto status = reader_test::open_and_check(buffer.bytes(), reader, room);
  require(std::string_view(scrooge_reader_status_string(status)) != "unknown status", "every status has a text");
  if (status != SCROOGE_READER_OK) return;
  const auto library = reader_test::library_reads(buffer.bytes());
  require(library.ok() || is_sharing(library.status()), "the library accepts what the reader accepts");
  if (library.ok()) require(reader_test::difference(reader, *library).empty(), "both read the same");
  for (uint32_t i = 0; i < reader.tensor_count; ++i) {
    scrooge_reader_tensor tensor;
    require(scrooge_reader_get_tensor(&reader, i, &tensor) == SCROOGE_READER_OK, "a tensor was checked when opened");
    if (i < kMostTensors) read_rows(tensor);
  }
}

std::string written(const ModelInfo& info, TensorLayout layout, int bits) {
  const test::TempFolder folder;
  const std::string path = folder / "m.scrooge";
  const auto write = [&]() -> Status {
    if (layout.canonical()) return write_sample(path, info, {12, 8});
    SCROOGE_ASSIGN_OR_RETURN(ModelWriter writer, ModelWriter::create(path, {12, 8}));
    SCROOGE_RETURN_IF_ERROR(writer.begin_segment("block.0", SegmentKind::kBlock));
    QuantSpec spec;
    spec.bits = bits;
    spec.group = 16;
    auto tensor = quantized("b0.q", 8, 40, spec);
    tensor.layout = layout;
    tensor.input_scale = true;
    SCROOGE_RETURN_IF_ERROR(add(writer, tensor));
    SCROOGE_RETURN_IF_ERROR(writer.end_segment());
    return writer.finish(info);
  };
  require(write().ok(), "a sample is written");
  const Bytes bytes = read_bytes(path);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  ModelInfo plain;
  plain.architecture = "llama";
  return {written(sample_info(), {}, 4), written(plain, {LayoutId::kInterleaved, 4, 12}, 3),
          written(plain, {LayoutId::kAwq, 0, 0}, 4)};
}

void run(std::string_view input) {
  read(input);
  const std::string other = sealed_file(input);
  if (other != input) read(other);
}

}  // namespace scrooge::fuzz
