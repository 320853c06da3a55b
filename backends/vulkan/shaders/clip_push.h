// SPDX-License-Identifier: Apache-2.0
// Push constants of clip_error.comp and clip_choose.comp. A trial is a candidate of a group of a row; trials lie in
// that order: row, group, candidate.
#ifndef SCROOGE_VULKAN_CLIP_PUSH_H
#define SCROOGE_VULKAN_CLIP_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct ClipErrorPush {
  View w, gram;  // the window of gram begins at row row_begin of the first group, and at its first column
  uint rows, cols, groups, group, candidates;
  uint first_group;
  uint row_begin, row_end;  // of gram, within a group
  uint add;                 // to what the loss is already
};

struct ClipChoosePush {
  View scales, zeros, error;
  uint rows, groups, candidates;
};

#ifdef __cplusplus
static_assert(sizeof(ClipErrorPush) == 52 && sizeof(ClipChoosePush) == 36);
}  // namespace scrooge::backend::vulkan
#endif
#endif
