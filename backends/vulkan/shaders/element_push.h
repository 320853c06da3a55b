// SPDX-License-Identifier: Apache-2.0
// Push constants of the ops that work element by element: add, scale_axis, gate, convert.
#ifndef SCROOGE_VULKAN_ELEMENT_PUSH_H
#define SCROOGE_VULKAN_ELEMENT_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct ElementPush {
  View a, b, y;
  uint rows, cols;
  float alpha;
};

#ifdef __cplusplus
static_assert(sizeof(ElementPush) == 36);
// Of a workgroup; the shaders say the same.
inline constexpr int64_t kElementCols = 64, kElementRows = 4;
}  // namespace scrooge::backend::vulkan
#endif
#endif
