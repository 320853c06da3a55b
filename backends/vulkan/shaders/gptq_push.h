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

// work[rows, cols]: the weights in the order of the steps, then the codes. errors[rows, kGptqBlock]: of the block.
struct GptqPush {
  View factor;  // its columns of the block; gptq_block: the block's own rows; gptq_spread: later ones, a window of them
  View scales, zeros;
  View codes;
  uint rows, cols;
  uint group;         // columns
  uint begin, count;  // steps of the block
  uint first, later;  // steps of the window
};

#ifdef __cplusplus
static_assert(sizeof(GptqPush) == 60);
}  // namespace scrooge::backend::vulkan
#endif
#endif
