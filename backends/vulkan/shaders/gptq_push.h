// SPDX-License-Identifier: Apache-2.0
// Push constants of the shaders of gptq, and the length of its blocks.
#ifndef SCROOGE_VULKAN_GPTQ_PUSH_H
#define SCROOGE_VULKAN_GPTQ_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
constexpr uint kGptqBlock = 32;
#else
const uint kGptqBlock = 32;  // steps
#endif

// work[rows, cols]: the weights in the order of the steps, then the codes. factor[cols, kGptqBlock]: for the steps of
// one block, what their errors do to each step. errors[rows, kGptqBlock]: of the block.
struct GptqPush {
  View outer;  // gptq_load: w; gptq_gather: by_channel, from `first` on; gptq_store: codes
  View scales, zeros;
  uint rows, cols;
  uint group;         // columns
  uint begin, count;  // steps of the block
  uint first;         // row of by_channel that is the window's first
};

#ifdef __cplusplus
static_assert(sizeof(GptqPush) == 48);
}  // namespace scrooge::backend::vulkan
#endif
#endif
