// SPDX-License-Identifier: Apache-2.0
// What the ops that are tiled products (shaders/product.glsl) have in common.
#pragma once

#include <array>
#include <cstdint>

#include "backends/vulkan/windows.h"
#include "src/base/status.h"

namespace scrooge::backend::vulkan {

// One tile, which is a workgroup.
struct ProductTile {
  uint32_t quads;  // of rows that an invocation computes
  int64_t rows() const { return 64 * int64_t{quads}; }
  static constexpr int64_t kCols = 64;
};

// Large tiles need registers that telephones lack; the sums are the same either way. Old MoltenVK sizes shared arrays
// by the shader's own value of a specialization constant.
inline ProductTile product_tile(const PhysicalDevice& device) {
  return {device.type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU || device.portability_subset ? 1u : 2u};
}

// Whether a row of `length` elements consists of aligned vectors of four.
inline bool vectors(const Window& window, int64_t length) {
  return window.binding.offset % 16 == 0 && window.view.offset % 4 == 0 && window.view.stride % 4 == 0 &&
         length % 4 == 0;
}

// The specialization constants of product.glsl, then those of the op.
template <typename... Own>
auto product_constants(ProductTile tile, bool vectors_of_a, bool vectors_of_b, Own... own) {
  return std::array<uint32_t, 3 + sizeof...(Own)>{tile.quads, vectors_of_a, vectors_of_b,
                                                  static_cast<uint32_t>(own)...};
}

// How many rows of m one binding holds, cut to whole tiles of `unit` rows where that is not all of them. At least 1.
inline int64_t whole_tiles(const Windows& windows, const Matrix& m, int64_t unit) {
  const int64_t fit = std::max<int64_t>(windows.rows_that_fit(m), 1);
  return fit >= m.rows || fit < unit ? fit : fit - fit % unit;
}

// kUnsupported, naming the reason, where a binding does not hold one tile of rows of m.
inline Status require_tile(const Windows& windows, const char* op, const Matrix& m, int64_t unit) {
  const int64_t fit = windows.rows_that_fit(m);
  if (fit >= std::min(m.rows, unit)) return {};
  return error(StatusCode::kUnsupported, op, ": this device shows a shader ", fit, " rows of a matrix with ", m.cols,
               " columns at once; ", unit, " are needed");
}

}  // namespace scrooge::backend::vulkan
