// SPDX-License-Identifier: Apache-2.0
// The WeightSource of every format: a list of mapped files and a table of tensors in them.
#pragma once

#include <memory>
#include <vector>

#include "src/checkpoint/weight_source.h"

namespace scrooge::checkpoint {

class MappedWeights final : public WeightSource {
 public:
  // Sorts the table. kBadCheckpoint naming the tensor when two have one name, or when one is not a whole number of
  // blocks per row, has another byte count than its shape, or leaves its file.
  static Result<std::unique_ptr<MappedWeights>> make(std::vector<FileMap> files, std::vector<TensorInfo> tensors);

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const TensorInfo* find(std::string_view name) const override;
  Status read_rows(const TensorInfo& tensor, int64_t first_row, int64_t count, std::span<float> out) const override;
  void prefetch(const TensorInfo& tensor) const override;
  void drop(const TensorInfo& tensor) const override;
  Status check_unchanged() const override;
  std::span<const FileMap> files() const override { return files_; }

 private:
  MappedWeights(std::vector<FileMap> files, std::vector<TensorInfo> tensors)
      : files_(std::move(files)), tensors_(std::move(tensors)) {}
  const FileMap& file_of(const TensorInfo& tensor) const { return files_[static_cast<size_t>(tensor.file)]; }

  std::vector<FileMap> files_;
  std::vector<TensorInfo> tensors_;
};

// Bytes of a tensor of this shape and type, or nothing when a row is not whole blocks or the number overflows.
std::optional<uint64_t> stored_bytes(StoredType type, std::span<const int64_t> shape);

}  // namespace scrooge::checkpoint
