// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/product.h"
#include "backends/vulkan/shaders/gemm_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(gemm)

// Precision::kFast is computed as kExact: what would make it faster, cooperative matrices, see README.md.
Status VulkanDevice::gemm(const GemmParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  if (params.y.rows == 0 || params.y.cols == 0) return {};
  const Windows windows(physical());
  const ProductTile tile = product_tile(physical());
  const int64_t depth = params.x.cols;
  return windows.for_rows("gemm", params.w.rows, {&params.w}, kMostGroups, [&](int64_t col, int64_t cols) {
    const Window w = windows.of(params.w.row_range(col, cols));
    return windows.for_rows("gemm", params.x.rows, {&params.x, &params.y}, kMostGroups, [&](int64_t row, int64_t rows) {
      const Window x = windows.of(params.x.row_range(row, rows));
      const Window y = windows.of(params.y.row_range(row, rows).col_range(col, cols));
      const Window bias = params.bias ? windows.of(params.bias, col, cols) : Window{x.binding, {}};
      const GemmPush push{x.view,
                          w.view,
                          y.view,
                          bias.view.offset,
                          static_cast<uint>(rows),
                          static_cast<uint>(cols),
                          static_cast<uint>(depth)};
      return run(shaders::gemm,
                 product_constants(tile, vectors(x, depth), vectors(w, depth), static_cast<bool>(params.bias),
                                   params.beta != 0),
                 {x.binding, w.binding, y.binding, bias.binding}, push,
                 {groups(cols, ProductTile::kCols), groups(rows, tile.rows())},
                 2.0 * static_cast<double>(rows) * static_cast<double>(cols) * static_cast<double>(depth + 16));
    });
  });
}

}  // namespace scrooge::backend::vulkan
