// SPDX-License-Identifier: Apache-2.0
// Push constants of gram_solve.comp.
#ifndef SCROOGE_VULKAN_GRAM_SOLVE_PUSH_H
#define SCROOGE_VULKAN_GRAM_SOLVE_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct GramSolvePush {
  View x, factor, y;  // y: its columns of the window
  uint rows;
  uint first, steps;  // of the window of the factor
  uint size;
};

#ifdef __cplusplus
static_assert(sizeof(GramSolvePush) == 40);
}  // namespace scrooge::backend::vulkan
#endif
#endif
