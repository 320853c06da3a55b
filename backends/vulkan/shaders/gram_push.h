// SPDX-License-Identifier: Apache-2.0
// Push constants of gram_accumulate.comp.
#ifndef SCROOGE_VULKAN_GRAM_PUSH_H
#define SCROOGE_VULKAN_GRAM_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct GramPush {
  View a, b, gram;
  uint tokens, rows, cols;
  uint first_row;  // of the window of the Gram matrix
};

#ifdef __cplusplus
static_assert(sizeof(GramPush) == 40);
}  // namespace scrooge::backend::vulkan
#endif
#endif
