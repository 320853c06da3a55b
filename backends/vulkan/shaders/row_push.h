// SPDX-License-Identifier: Apache-2.0
// Push constants of the ops on whole rows: normalize and column_stats.
#ifndef SCROOGE_VULKAN_ROW_PUSH_H
#define SCROOGE_VULKAN_ROW_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct NormalizePush {
  View x, y;
  uint gamma;  // its offset
  uint cols;
  float inverse_cols, inverse_cols_rest;  // 1 / cols as a double_float number
  float epsilon;
};

struct ColumnStatsPush {
  View x;
  uint rows, cols;
  uint sum_abs, sum, max_abs;  // offsets
};

#ifdef __cplusplus
static_assert(sizeof(NormalizePush) == 36 && sizeof(ColumnStatsPush) == 28);
}  // namespace scrooge::backend::vulkan
#endif
#endif
