// SPDX-License-Identifier: Apache-2.0
// Which planes a tensor has and how many bytes each takes, from its description alone. The one place where the writer,
// the planner and the reader's checks get their sizes from.
#pragma once

#include <cstdint>
#include <vector>

#include "src/base/result.h"
#include "src/container/model_metadata.h"

namespace scrooge::container {

// A row is what the layout makes of it: a row of the matrix, a tile of some, or a column.
struct PlaneGeometry {
  PlaneKind kind = PlaneKind::kData;
  uint64_t row_bytes = 0;
  uint64_t rows = 0;
  uint64_t size = 0;  // row_bytes * rows
};

// Planes in file order: data; or codes, scales, zeros (has_zeros()), input_scale when described. kInvalidArgument
// naming the tensor when the description is malformed: unusable name, zero dimension, unknown enum value, scheme out of
// range or not one that the layout can hold, sizes that overflow, planes above kMaxPieceBytes that cannot be divided.
Result<std::vector<PlaneGeometry>> plane_geometry(const TensorDescription& description);

// The fewest rows whose bytes are a multiple of `alignment`: a plane may be divided after any multiple of them.
// REQUIRES: row_bytes > 0, alignment a power of two.
uint64_t rows_per_piece(uint64_t row_bytes, uint64_t alignment);

}  // namespace scrooge::container
