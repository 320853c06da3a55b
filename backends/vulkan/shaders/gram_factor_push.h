// SPDX-License-Identifier: Apache-2.0
// Push constants of the shaders of gram_factor, and how its scratch is laid out.
#ifndef SCROOGE_VULKAN_GRAM_FACTOR_PUSH_H
#define SCROOGE_VULKAN_GRAM_FACTOR_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

// Rows of `by_step` and `by_channel` from `first` on, a window of them, and those of one tile, `fixed`.
struct FactorTilePush {
  View step, channel, fixed_step, fixed_channel;
  uint size;        // of the Gram matrix
  uint first_row;   // of the window
  uint first_tile;  // of the grid
  uint fixed_tile;
};

// Rows [first, first + rows) of one matrix, rows [other_first, other_first + other_rows) of another.
struct FactorMovePush {
  View from, to;
  uint size;
  uint first, rows, other_first, other_rows;
  float factor, factor_rest;  // a double_float number
};

#ifdef __cplusplus
static_assert(sizeof(FactorTilePush) == 48 && sizeof(FactorMovePush) == 44);
inline constexpr int64_t kFactorTile = 32;
#endif

// The scratch, double_float numbers in elements: x of the first says whether the factorization broke down, the second
// is the trace and then what damping adds; the diagonal tile at hand; the inverses of all diagonal tiles of the factor.
#define FACTOR_DIAGONAL 32
#define FACTOR_INVERSES (32 + 1024)

#ifdef __cplusplus
}  // namespace scrooge::backend::vulkan
#endif
#endif
