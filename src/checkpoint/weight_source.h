// SPDX-License-Identifier: Apache-2.0
// The tensors of an opened checkpoint, whatever its format.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/file_map.h"
#include "src/base/result.h"
#include "src/checkpoint/stored_type.h"

namespace scrooge::checkpoint {

// Number of elements of a shape (1 for a scalar), or nothing when a dimension is negative or a product of leading
// dimensions leaves int64.
std::optional<uint64_t> element_count(std::span<const int64_t> shape);

struct TensorInfo {
  std::string name;
  StoredType type = StoredType::kF32;
  std::vector<int64_t> shape;  // outermost first: [N, K] of a linear; empty for a scalar
  uint64_t bytes = 0;          // as stored
  int file = 0;                // index into WeightSource::files()
  uint64_t offset = 0;         // of the first byte, from the start of that file

  // The tensor as a matrix: the innermost dimension is the columns, all others together are the rows; a vector or
  // scalar is one row. REQUIRES: element_count(shape) has a value.
  int64_t rows() const;
  int64_t cols() const;
};

// Immutable once made; const members are safe from several threads.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  // Sorted by name, names unique.
  virtual const std::vector<TensorInfo>& tensors() const = 0;
  // Null when there is no such tensor. O(log n).
  virtual const TensorInfo* find(std::string_view name) const = 0;

  // Rows [first_row, first_row + count) as f32, row-major; `tensor` must come from this source.
  // kInvalidArgument when the rows are outside the tensor or out.size() != count * cols(); kSourceChanged when the file
  // became shorter; kIoError. Holds at most 256 KiB of its own while it runs.
  virtual Status read_rows(const TensorInfo& tensor, int64_t first_row, int64_t count, std::span<float> out) const = 0;

  // Hints for the page cache; never fail.
  virtual void prefetch(const TensorInfo& tensor) const = 0;
  virtual void drop(const TensorInfo& tensor) const = 0;

  // kSourceChanged when any file is no longer what it was when it was opened.
  virtual Status check_unchanged() const = 0;
  // The files that hold weights, in the order that TensorInfo::file counts them.
  virtual std::span<const FileMap> files() const = 0;
};

}  // namespace scrooge::checkpoint
