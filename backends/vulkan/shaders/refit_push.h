// SPDX-License-Identifier: Apache-2.0
// Push constants of refit_product.comp and refit_scale.comp.
#ifndef SCROOGE_VULKAN_REFIT_PUSH_H
#define SCROOGE_VULKAN_REFIT_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

// sums[tiles, rows]: of each 64 channels of a group, what they add to the slope and the curvature of its scale, as
// double_float numbers.
struct RefitPush {
  View w, codes, scales, zeros, gram;  // gram: rows of the group, all columns
  uint rows, cols;
  uint group, index;  // columns; which group
  uint first, count;  // rows of gram, the first within the group
  uint tiles;         // of the group
};

#ifdef __cplusplus
static_assert(sizeof(RefitPush) == 68);
}  // namespace scrooge::backend::vulkan
#endif
#endif
