// SPDX-License-Identifier: Apache-2.0
// Push constants of transpose.comp.
#ifndef SCROOGE_VULKAN_TRANSPOSE_PUSH_H
#define SCROOGE_VULKAN_TRANSPOSE_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct TransposePush {
  View from, to;
  uint rows, cols;            // of `to`
  uint first_row, first_col;  // of `to` in its matrix
};

#ifdef __cplusplus
static_assert(sizeof(TransposePush) == 32);
inline constexpr int64_t kTransposeTile = 32;
}  // namespace scrooge::backend::vulkan
#endif
#endif
