// SPDX-License-Identifier: Apache-2.0
// Push constants of quadratic_form.comp, quadratic_sum.comp and scale_search_error.comp: what makes e G e^T of rows e.
#ifndef SCROOGE_VULKAN_QUADRATIC_PUSH_H
#define SCROOGE_VULKAN_QUADRATIC_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

// Rows [first, first + depth) of the Gram matrix, whose columns, and those of a and b, begin at `first` here.
struct QuadraticPush {
  View a, b, gram;
  uint rows, cols, depth;
  uint first_slot;  // of the parts: the sum over tile t of columns for row m is element (first_slot + t) * rows + m
};

struct QuadraticSumPush {
  uint rows, slots;
  uint weights;  // their offset
  uint first_sum;
};

struct ScaleSearchErrorPush {
  View w, candidate, error;
  uint cols, groups, group;  // of a row; groups of a row; columns of a group
  uint lanes;                // a power of 2
  uint rows;
};

#ifdef __cplusplus
static_assert(sizeof(QuadraticPush) == 40 && sizeof(QuadraticSumPush) == 16 && sizeof(ScaleSearchErrorPush) == 44);
inline constexpr int64_t kQuadraticSumRows = 256;  // of a workgroup
}  // namespace scrooge::backend::vulkan
#endif
#endif
