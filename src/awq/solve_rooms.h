// SPDX-License-Identifier: Apache-2.0
// Scratch of one stage's solve, laid out anew for each stage in one workspace. Whatever belongs to rows is there for
// one tile of rows; only what is K wide and K high, or must outlast a tile, is whole.
#pragma once

#include <span>

#include "src/awq/scale_search.h"
#include "src/awq/solve_options.h"
#include "src/model/weight_rows.h"

namespace scrooge::awq {

struct LinearShape {
  int64_t rows = 0;  // N
  int64_t cols = 0;  // K
};

struct SolveRooms {
  // From byte `begin` of the workspace to byte `end`; without one only `end` is of use. `parked`: the factor shares the
  // room of the Gram matrix, which is left to the caller, and the targets of a stage of one linear are in a file.
  // REQUIRES: all linears have the same K.
  SolveRooms(backend::Buffer* workspace, uint64_t begin, std::span<const LinearShape> linears,
             const SolveOptions& options, bool parked)
      : end(begin), workspace_(workspace) {
    const int64_t k = linears.front().cols;
    int64_t rows = 0;
    int64_t tile = 0;
    for (const LinearShape& linear : linears) {
      rows += linear.rows;
      tile = std::max(tile, model::tile_rows(linear.rows, k));
    }
    const int64_t p = options.spec.groups(k);
    candidates = take(ScaleSearch::max_candidates(options.grid), k);
    if (options.needs_factor() && !parked) factor = take(k, k);
    // The target of a stage of one linear takes the place of its correction.
    if (options.correct > 0 && linears.size() > 1) targets = take(rows, k);
    if (options.correct > 0 && linears.size() == 1 && parked) target_tile = take(tile, k);
    const backend::Matrix vectors = take(3, k);
    const auto vector = [&](int64_t index) {
      return backend::Vector{vectors.buffer, vectors.row_range(index, 1).offset, k, DType::kF32};
    };
    scale = vector(0);
    inverse_scale = vector(1);
    factor_scale = vector(2);
    scaled = take(tile, k);
    effective = take(tile, k);
    trial = {take(tile, k, DType::kU8), take(tile, p), take(tile, p)};
    clip_error = take(tile, p);
  }

  uint64_t end;
  backend::Matrix candidates;  // [C,K]
  backend::Matrix factor;
  backend::Matrix targets;      // W* of all linears, one below the other
  backend::Matrix target_tile;  // of what is parked
  backend::Vector scale, inverse_scale, factor_scale;
  backend::Matrix scaled;     // W* s of a tile
  backend::Matrix effective;  // of what is tried, or a step on the way to W*
  QuantizedView trial;
  backend::Matrix clip_error;

 private:
  backend::Matrix take(int64_t rows, int64_t cols, DType dtype = DType::kF32) {
    const backend::Matrix room{workspace_, end, rows, cols, cols, dtype};
    end += (static_cast<uint64_t>(rows * cols * dtype_size(dtype)) + 255) / 256 * 256;
    return room;
  }

  backend::Buffer* workspace_;
};

}  // namespace scrooge::awq
