// SPDX-License-Identifier: Apache-2.0
// Read by C++ and by GLSL: what all push constants are made of. A struct of these lies the same in both: every member
// has 4 bytes, which the op's static_assert on its size confirms.
#ifndef SCROOGE_VULKAN_VIEW_H
#define SCROOGE_VULKAN_VIEW_H

#ifdef __cplusplus
#include <cstdint>
namespace scrooge::backend::vulkan {
using uint = uint32_t;
#endif

// Element (r, c) of a window is element offset + r * stride + c of its binding.
struct View {
  uint offset;
  uint stride;
};

#ifdef __cplusplus
}  // namespace scrooge::backend::vulkan
#endif
#endif
