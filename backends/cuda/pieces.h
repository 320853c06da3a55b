// SPDX-License-Identifier: Apache-2.0
// How large the pieces are in which products are done: large enough to fill a card, small enough to bound the scratch.
// Tests take tiny ones, so that small shapes have many pieces.
#pragma once

#include <cstdint>

namespace scrooge::backend::cuda {

struct PieceSizes {
  int64_t row_step = 128;                       // rows of a piece are multiples of this
  int64_t panel = 1024;                         // columns of a Gram matrix at once; a multiple of 8
  int64_t tokens = 2048;                        // of a sum in f32, before it is added to a Gram matrix
  uint64_t weight_bytes = uint64_t{128} << 20;  // gemm: copies of w,
  uint64_t input_bytes = uint64_t{64} << 20;    // of x
  uint64_t output_bytes = uint64_t{64} << 20;   // and of y
  uint64_t row_bytes = uint64_t{64} << 20;      // rounding, refining, refitting, clipping: what is kept per row
  uint64_t error_bytes = uint64_t{256} << 20;   // quadratic forms: rows of errors, as f32
  uint64_t gram_bytes = uint64_t{512} << 20;    // and copies of panels of the Gram matrix
  int64_t factor_panel = 256;                   // gram_factor: columns of the factor at once; multiples of 64,
  int64_t factor_depth = 512;                   // those before it that are taken off at once,
  int64_t factor_columns = 1024;                // and columns of its inverse
};

inline constexpr PieceSizes kPieceSizes;

}  // namespace scrooge::backend::cuda
