// SPDX-License-Identifier: Apache-2.0
// The specialization constants of a shader that includes shaders/quantize_math.glsl: 4 to 7 are the scheme, those
// before belong to shaders/product.glsl, those from 8 on to the shader.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "src/tensor/quant_spec.h"

namespace scrooge::backend::vulkan {

inline std::vector<uint32_t> quant_constants(const QuantSpec& spec, std::initializer_list<uint32_t> own = {},
                                             std::array<uint32_t, 4> of_product = {}) {
  std::vector<uint32_t> constants(of_product.begin(), of_product.end());
  constants.insert(constants.end(), {static_cast<uint32_t>(spec.max_code()), spec.symmetric,
                                     static_cast<uint32_t>(spec.range), static_cast<uint32_t>(spec.scale_dtype)});
  constants.insert(constants.end(), own);
  return constants;
}

}  // namespace scrooge::backend::vulkan
