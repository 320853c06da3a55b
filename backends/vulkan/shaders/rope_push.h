// SPDX-License-Identifier: Apache-2.0
// Push constants of rope.comp.
#ifndef SCROOGE_VULKAN_ROPE_PUSH_H
#define SCROOGE_VULKAN_ROPE_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct RopePush {
  View x;
  uint frequencies;  // their offset
  uint rows, pairs;  // pairs of a head that turn
  uint heads, width;
  uint first_row, sequence;  // of the window; of a sequence
  float magnitude;
};

#ifdef __cplusplus
static_assert(sizeof(RopePush) == 40);
}  // namespace scrooge::backend::vulkan
#endif
#endif
