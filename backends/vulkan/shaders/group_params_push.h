// SPDX-License-Identifier: Apache-2.0
// Push constants of group_params.comp.
#ifndef SCROOGE_VULKAN_GROUP_PARAMS_PUSH_H
#define SCROOGE_VULKAN_GROUP_PARAMS_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

// The scale of candidate c of group g of row r is element (r, g * candidates + c) of `scales`.
struct GroupParamsPush {
  View w, scales, zeros;
  uint cols, groups, group;  // of w; of a row; columns of a group
  uint candidates;
  uint abs_max;  // ClipRule
};

#ifdef __cplusplus
static_assert(sizeof(GroupParamsPush) == 44);
}  // namespace scrooge::backend::vulkan
#endif
#endif
