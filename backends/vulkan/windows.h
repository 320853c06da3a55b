// SPDX-License-Identifier: Apache-2.0
// How ops see matrices of any size, offset and stride through bindings, which are small and aligned: a window is a part
// of a matrix as one binding, with what the shader adds to an index.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "backends/vulkan/commands.h"
#include "backends/vulkan/shaders/view.h"
#include "src/backend/op_params.h"

namespace scrooge::backend::vulkan {

struct Window {
  Binding binding;
  View view;
};

// A part of rows and columns that matrices of one shape, or planes of the same rows, have in common.
struct Piece {
  int64_t row = 0, rows = 0, col = 0, cols = 0;
};

class Windows {
 public:
  explicit Windows(const PhysicalDevice& device);

  // REQUIRES: fits(m).
  Window of(const Matrix& m) const;
  Window of(const Matrix& m, const Piece& piece) const;
  // REQUIRES: fits.
  Window of(const Vector& v) const;
  Window of(const Vector& v, int64_t begin, int64_t count) const;

  // How many rows of the matrix one binding holds, at most; 0 when not even one.
  int64_t rows_that_fit(const Matrix& m) const;
  bool fits(const Matrix& m) const { return rows_that_fit(m) >= m.rows; }
  // kUnsupported, naming the reason, where a binding does not hold one row of m.
  Status require_row(const char* op, const Matrix& m) const;

  // Calls run(piece) -> Status for parts that cover rows x cols and are small enough for all of the matrices, which
  // have that shape, and for grids of `rows_per_group` rows a workgroup; columns are cut only where one row is too
  // long.
  template <typename Run>
  Status for_each(int64_t rows, int64_t cols, std::initializer_list<const Matrix*> matrices, int64_t rows_per_group,
                  const Run& run) const {
    const Piece step = largest(rows, cols, matrices, rows_per_group);
    for (int64_t row = 0; row < rows; row += step.rows) {
      for (int64_t col = 0; col < cols; col += step.cols) {
        SCROOGE_RETURN_IF_ERROR(run(Piece{row, std::min(step.rows, rows - row), col, std::min(step.cols, cols - col)}));
      }
    }
    return {};
  }

  // The same for ops on whole rows: run(first, count) -> Status for ranges of at most `most` rows. kUnsupported, naming
  // the reason, where a binding does not hold one row of a matrix.
  template <typename Run>
  Status for_rows(const char* op, int64_t rows, std::initializer_list<const Matrix*> matrices, int64_t most,
                  const Run& run) const {
    int64_t step = std::max<int64_t>(most, 1);
    for (const Matrix* m : matrices) {
      SCROOGE_RETURN_IF_ERROR(require_row(op, *m));
      step = std::min(step, std::max<int64_t>(rows_that_fit(*m), 1));
    }
    for (int64_t row = 0; row < rows; row += step) {
      SCROOGE_RETURN_IF_ERROR(run(row, std::min(step, rows - row)));
    }
    return {};
  }

 private:
  Piece largest(int64_t rows, int64_t cols, std::initializer_list<const Matrix*> matrices,
                int64_t rows_per_group) const;

  const uint64_t alignment_;
  const uint64_t room_;  // of a binding, whatever its offset turns out to be
};

inline constexpr int64_t kMostGroups = 65535;  // along an axis of a grid; all that is promised

// Workgroups that cover `count` with `each`.
constexpr uint32_t groups(int64_t count, int64_t each) { return static_cast<uint32_t>((count + each - 1) / each); }

}  // namespace scrooge::backend::vulkan
