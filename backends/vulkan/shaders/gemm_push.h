// SPDX-License-Identifier: Apache-2.0
// Push constants of gemm.comp.
#ifndef SCROOGE_VULKAN_GEMM_PUSH_H
#define SCROOGE_VULKAN_GEMM_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct GemmPush {
  View x, w, y;
  uint bias;  // its offset
  uint rows, cols, depth;
};

#ifdef __cplusplus
static_assert(sizeof(GemmPush) == 40);
}  // namespace scrooge::backend::vulkan
#endif
#endif
