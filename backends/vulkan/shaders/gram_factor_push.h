// SPDX-License-Identifier: Apache-2.0
// Push constants of the shaders of gram_factor, and how its scratch is laid out.
#ifndef SCROOGE_VULKAN_GRAM_FACTOR_PUSH_H
#define SCROOGE_VULKAN_GRAM_FACTOR_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

// Rows of a lower triangular matrix of double_float numbers which one square matrix holds: the value of (a, b) is its
// element (size - 1 - a, size - 1 - b), the remainder its element (a, b). So both are in rows that lie together, and on
// either side of the diagonal. Element (m, b) of these rows is at values.offset - m * values.stride - b and at
// rests.offset + m * rests.stride + b.
struct FactorRows {
  View values, rests;
};

struct FactorPush {
  FactorRows window;
  FactorRows of_fixed;  // of the tile fixed_tile
  uint size;            // of the Gram matrix
  uint first_row;       // of the window
  uint first_tile;      // of the grid
  uint fixed_tile;
  uint end_tile;  // gram_factor_invert: of the window, or fixed_tile
};

struct FactorTracePush {
  View from;  // rows [first, first + rows) of the Gram matrix
  uint size;
  uint first, rows;
  float factor, factor_rest;  // a double_float number
};

#ifdef __cplusplus
static_assert(sizeof(FactorPush) == 52 && sizeof(FactorTracePush) == 28);
inline constexpr int64_t kFactorTile = 32;
#else
#define VALUE(rows, m, b) ((rows).values.offset - (m) * (rows).values.stride - (b))
#define REST(rows, m, b) ((rows).rests.offset + (m) * (rows).rests.stride + (b))
#endif

// The scratch, double_float numbers in elements: x of the first says whether the factorization broke down, the second
// is the trace and then what damping adds; the diagonal tile at hand; the inverses of all diagonal tiles of the factor.
#define FACTOR_DIAGONAL 32
#define FACTOR_INVERSES (32 + 1024)

#ifdef __cplusplus
}  // namespace scrooge::backend::vulkan
#endif
#endif
