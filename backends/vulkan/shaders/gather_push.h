// SPDX-License-Identifier: Apache-2.0
// Push constants of gather.comp.
#ifndef SCROOGE_VULKAN_GATHER_PUSH_H
#define SCROOGE_VULKAN_GATHER_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct GatherPush {
  View from, to;
  uint rows, cols;  // of `to`
  uint first;       // entry of the order that is that of the first row
};

#ifdef __cplusplus
static_assert(sizeof(GatherPush) == 28);
}  // namespace scrooge::backend::vulkan
#endif
#endif
