// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/mapped_weights.h"

#include <algorithm>

#include "src/base/checked_size.h"
#include "src/checkpoint/dequantize.h"

namespace scrooge::checkpoint {
namespace {

constexpr uint64_t kBatchBytes = 256 << 10;

Status check_tensor(const TensorInfo& tensor, std::span<const FileMap> files) {
  if (tensor.file < 0 || static_cast<size_t>(tensor.file) >= files.size()) {
    return error(StatusCode::kInternal, "tensor ", printable(tensor.name), " names file ", tensor.file, " of ",
                 files.size(), "; please report");
  }
  const FileMap& file = files[static_cast<size_t>(tensor.file)];
  const auto bytes = stored_bytes(tensor.type, tensor.shape);
  if (!bytes || *bytes != tensor.bytes) {
    return error(StatusCode::kBadCheckpoint, file.path(), ": tensor ", printable(tensor.name), ": ", tensor.bytes,
                 " bytes do not match its shape and type ", stored_type_name(tensor.type), "; download the file again");
  }
  if (!CheckedSize(tensor.offset).range_fits(tensor.bytes, file.size())) {
    return error(StatusCode::kBadCheckpoint, file.path(), ": tensor ", printable(tensor.name), ": bytes at offset ",
                 tensor.offset, " end outside the file; download the file again");
  }
  return {};
}

}  // namespace

std::optional<uint64_t> stored_bytes(StoredType type, std::span<const int64_t> shape) {
  const StoredLayout layout = stored_layout(type);
  const auto elements = element_count(shape);
  const int64_t cols = shape.empty() ? 1 : shape.back();
  if (!elements || cols % layout.block_length != 0) return std::nullopt;
  const CheckedSize bytes =
      CheckedSize(*elements / static_cast<uint64_t>(layout.block_length)) * CheckedSize(layout.block_bytes);
  if (!bytes.valid()) return std::nullopt;
  return bytes.value();
}

Result<std::unique_ptr<MappedWeights>> MappedWeights::make(std::vector<FileMap> files,
                                                           std::vector<TensorInfo> tensors) {
  for (const TensorInfo& tensor : tensors) SCROOGE_RETURN_IF_ERROR(check_tensor(tensor, files));
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto twin =
      std::adjacent_find(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twin != tensors.end()) {
    const auto path = [&](const TensorInfo& tensor) { return files[static_cast<size_t>(tensor.file)].path(); };
    return error(StatusCode::kBadCheckpoint, path(*twin), ": tensor ", printable(twin->name), " is also in ",
                 path(*(twin + 1)), "; remove the wrong file or download both again");
  }
  return std::unique_ptr<MappedWeights>(new MappedWeights(std::move(files), std::move(tensors)));
}

const TensorInfo* MappedWeights::find(std::string_view name) const {
  const auto at = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                   [](const TensorInfo& tensor, std::string_view key) { return tensor.name < key; });
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

Status MappedWeights::read_rows(const TensorInfo& tensor, int64_t first_row, int64_t count,
                                std::span<float> out) const {
  const int64_t rows = tensor.rows();
  const int64_t cols = tensor.cols();
  if (first_row < 0 || count < 0 || first_row > rows || count > rows - first_row) {
    return error(StatusCode::kInvalidArgument, "tensor ", printable(tensor.name), ": rows ", first_row, " and ", count,
                 " more are outside its ", rows, " rows");
  }
  if (out.size() != static_cast<uint64_t>(count * cols)) {
    return error(StatusCode::kInvalidArgument, "tensor ", printable(tensor.name), ": ", out.size(), " values for ",
                 count, " rows of ", cols);
  }
  // Rows are whole blocks, so any run of rows is one run of blocks, cut where the buffer is full.
  const StoredLayout layout = stored_layout(tensor.type);
  const auto length = static_cast<uint64_t>(layout.block_length);
  const auto block_bytes = static_cast<uint64_t>(layout.block_bytes);
  const uint64_t blocks = out.size() / length;
  const uint64_t batch = std::min(blocks, kBatchBytes / block_bytes);
  std::vector<std::byte> buffer(batch * block_bytes);
  uint64_t offset = tensor.offset + static_cast<uint64_t>(first_row * cols) / length * block_bytes;
  for (uint64_t done = 0; done < blocks;) {
    const uint64_t now = std::min(batch, blocks - done);
    const std::span<std::byte> piece = std::span(buffer).first(now * block_bytes);
    if (const Status status = file_of(tensor).read(offset, piece); !status.ok()) {
      return status.with_context(concat("tensor ", printable(tensor.name)));
    }
    dequantize(tensor.type, piece, out.subspan(done * length, now * length));
    offset += piece.size();
    done += now;
  }
  return {};
}

void MappedWeights::prefetch(const TensorInfo& tensor) const { file_of(tensor).prefetch(tensor.offset, tensor.bytes); }

void MappedWeights::drop(const TensorInfo& tensor) const { file_of(tensor).drop(tensor.offset, tensor.bytes); }

Status MappedWeights::check_unchanged() const {
  for (const FileMap& file : files_) SCROOGE_RETURN_IF_ERROR(file.check_unchanged());
  return {};
}

}  // namespace scrooge::checkpoint
