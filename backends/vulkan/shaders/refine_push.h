// SPDX-License-Identifier: Apache-2.0
// Push constants of refine_slopes.comp and refine_sweep.comp.
#ifndef SCROOGE_VULKAN_REFINE_PUSH_H
#define SCROOGE_VULKAN_REFINE_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

// slopes[rows, cols]; moved[rows]: the last sweep in which a code of the row moved.
struct RefinePush {
  View w, codes, scales, zeros, gram;  // gram from the row `first` on
  uint rows, cols;
  uint group;         // columns
  uint first, count;  // channels
  uint sweep;         // from 1 on
};

#ifdef __cplusplus
static_assert(sizeof(RefinePush) == 64);
}  // namespace scrooge::backend::vulkan
#endif
#endif
