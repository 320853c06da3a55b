// SPDX-License-Identifier: Apache-2.0
// What ops keep in the scratch, as they cut it and as scratch_bytes() counts it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/vulkan/shaders/gptq_push.h"
#include "backends/vulkan/shaders/gram_factor_push.h"

namespace scrooge::backend::vulkan {

inline constexpr int64_t kScratch = int64_t{16} << 20;  // bytes that an op takes where it has a choice
inline constexpr uint64_t kScratchAlignment = 256;      // of parts, as bindings begin

constexpr uint64_t scratch_part(int64_t elements) {
  return (static_cast<uint64_t>(elements) * 4 + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
}

// Scores of `rows` queries and `heads` heads against all keys of a sequence, and the sum of each row.
struct AttentionScratch {
  AttentionScratch(int64_t length, int64_t head_count) : stride((length + 3) / 4 * 4) {
    constexpr int64_t kTile = 128;              // queries, at least: the larger tile of a product
    const int64_t fit = kScratch / 4 / stride;  // rows of scores
    rows = fit >= length ? length : std::max(fit / kTile * kTile, kTile);
    rows = std::min(rows, length);
    heads = std::clamp<int64_t>(fit / rows, 1, head_count);
  }
  int64_t stride;
  int64_t rows, heads;
  uint64_t score_bytes() const { return scratch_part(heads * rows * stride); }
  uint64_t sum_bytes() const { return scratch_part(heads * rows); }
  uint64_t bytes() const { return score_bytes() + sum_bytes(); }
};

// Of one sequence, which begins at row `start`: queries [first, first + rows), heads [head, head + heads).
struct AttentionPart {
  int64_t start, first, rows, head, heads;
};

// Rows of errors that gram_loss and scale_search_loss take at a time, each with `slots` parts: enough for every part of
// a large card, and few enough for the scratch; whole tiles of `tile` rows.
inline int64_t quadratic_rows(int64_t size, int64_t slots, int64_t tile) {
  const int64_t fit = kScratch / 4 / std::max<int64_t>(size + slots, 1);
  return std::clamp<int64_t>(fit / tile * tile, tile, 65535);
}

// Rows of `elements` that fit, of `rows` there are; one at least.
inline int64_t scratch_rows(int64_t elements, int64_t rows) {
  return std::clamp<int64_t>(kScratch / 4 / std::max<int64_t>(elements, 1), 1, std::max<int64_t>(rows, 1));
}

// Rows or columns of the matrix on their way to their places; after that the state, a tile at hand and the inverses of
// the diagonal tiles (shaders/gram_factor_push.h), a tile's rows of the factor, and the sums of as many.
struct GramFactorScratch {
  explicit GramFactorScratch(int64_t size)
      : strip_lines(scratch_rows(size, size)),
        strip(scratch_part(strip_lines * size)),
        state(scratch_part(2 * (FACTOR_INVERSES + (size + kFactorTile - 1) / kFactorTile * kFactorTile * kFactorTile))),
        panel(scratch_part(2 * kFactorTile * (size + kFactorTile))) {}
  int64_t strip_lines;
  uint64_t strip, state, panel;
  uint64_t bytes() const { return std::max(strip, state + 2 * panel); }
};

// A tile of rows in the order of the steps.
struct GramSolveScratch {
  GramSolveScratch(int64_t size, int64_t all_rows) : stride((size + 3) / 4 * 4) {
    constexpr int64_t kTile = 128;  // rows of the larger tile of a product
    rows = std::min<int64_t>(scratch_rows(stride, all_rows), 65535);
    if (rows > kTile && rows < all_rows) rows -= rows % kTile;
  }
  int64_t stride, rows = 0;
  uint64_t bytes() const { return scratch_part(rows * stride); }
};

// Weights of a tile of rows, the errors of a block: shaders/gptq_push.h.
struct GptqScratch {
  GptqScratch(int64_t size, int64_t all_rows)
      : rows(scratch_rows(size + kGptqBlock, all_rows)),
        work(scratch_part(rows * size)),
        errors(scratch_part(rows * kGptqBlock)) {}
  int64_t rows;
  uint64_t work, errors;
  uint64_t bytes() const { return work + errors; }
};

// Scales, zeros and losses of the candidates of the groups of a tile of rows.
struct ClipScratch {
  ClipScratch(int64_t trials_of_row, int64_t all_rows)
      : rows(scratch_rows(3 * trials_of_row, all_rows)), plane(scratch_part(rows * trials_of_row)) {}
  int64_t rows;
  uint64_t plane;
  uint64_t bytes() const { return 3 * plane; }
};

// f32 in the sums of a row and 64 channels of a group, see shaders/refit_push.h.
constexpr int64_t refit_sums(int64_t group) { return (group + 63) / 64 * 4; }

}  // namespace scrooge::backend::vulkan
