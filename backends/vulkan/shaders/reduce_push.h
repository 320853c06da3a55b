// SPDX-License-Identifier: Apache-2.0
// Push constants of reduce.comp.
#ifndef SCROOGE_VULKAN_REDUCE_PUSH_H
#define SCROOGE_VULKAN_REDUCE_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct ReducePush {
  View a, b;
  uint count, cols;  // elements; of a row
};

#ifdef __cplusplus
static_assert(sizeof(ReducePush) == 24);
inline constexpr int64_t kReduceElements = 16384;  // of a workgroup; the shader says the same
}  // namespace scrooge::backend::vulkan
#endif
#endif
