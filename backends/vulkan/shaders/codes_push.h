// SPDX-License-Identifier: Apache-2.0
// Push constants of quantize, dequantize and pack.
#ifndef SCROOGE_VULKAN_CODES_PUSH_H
#define SCROOGE_VULKAN_CODES_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

struct CodesPush {
  View w, scales, zeros, codes;
  uint rows, cols;
  uint group;  // columns
  uint bits;
};

#ifdef __cplusplus
static_assert(sizeof(CodesPush) == 48);
}  // namespace scrooge::backend::vulkan
#endif
#endif
