// SPDX-License-Identifier: Apache-2.0
// The SPIR-V of one shader of shaders/, compiled and embedded by this folder's CMakeLists.txt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace scrooge::backend::vulkan {

struct Shader {
  const char* name;
  std::span<const uint32_t> words;
  std::span<const uint32_t> wide_words;  // for PhysicalDevice::wide; empty: the same
};

// SCROOGE_VULKAN_SHADER(add): declares shaders::add, made from shaders/add.comp.
#define SCROOGE_VULKAN_SHADER(name) \
  namespace shaders {               \
  extern const Shader name;         \
  }

}  // namespace scrooge::backend::vulkan
