// SPDX-License-Identifier: Apache-2.0
// Tiles of rows, one group after another: a product for the slope and the curvature of its scale, then the new scale,
// which the errors of the next group's product follow.
#include <algorithm>

#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"
#include "backends/vulkan/quant_constants.h"
#include "backends/vulkan/shaders/refit_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(refit_product)
SCROOGE_VULKAN_SHADER(refit_scale)

namespace {

constexpr ProductTile kTile{1};  // its shared memory is just enough for the sums of its rows

}  // namespace

Status VulkanDevice::refit_rows(const RefitScalesParams& params, int64_t first, int64_t rows, const Binding& sums) {
  const Windows windows(physical());
  const int64_t k = params.w.cols, length = params.spec.group_length(k);
  const Window w = windows.of(params.w.row_range(first, rows)), codes = windows.of(params.codes.row_range(first, rows));
  const Window scales = windows.of(params.scales.row_range(first, rows));
  const Window zeros = windows.of(params.zeros.row_range(first, rows));
  for (int64_t group = 0; group < params.scales.cols; ++group) {
    const int64_t begin = group * length, width = std::min(length, k - begin);
    const Matrix block = params.gram.row_range(begin, width);
    RefitPush push{w.view,
                   codes.view,
                   scales.view,
                   zeros.view,
                   {},
                   static_cast<uint>(rows),
                   static_cast<uint>(k),
                   static_cast<uint>(length),
                   static_cast<uint>(group),
                   0,
                   0,
                   groups(width, ProductTile::kCols)};
    const int64_t most = whole_tiles(windows, block, ProductTile::kCols);
    if (most < width && most % ProductTile::kCols != 0) {
      return error(StatusCode::kUnsupported, "refit_scales: 64 rows of the Gram matrix of ", k,
                   " channels are beyond what this device shows a shader at once; use another device");
    }
    SCROOGE_RETURN_IF_ERROR(
        windows.for_rows("refit_scales", width, {&block}, most, [&](int64_t row, int64_t count) -> Status {
          const Window gram = windows.of(block.row_range(row, count));
          push.gram = gram.view;
          push.first = static_cast<uint>(row);
          push.count = static_cast<uint>(count);
          const bool by_vectors = vectors(gram, k) && begin % 4 == 0 && width % 4 == 0;
          return run(shaders::refit_product, {{kTile.quads, 0, by_vectors}},
                     {w.binding, codes.binding, scales.binding, zeros.binding, gram.binding, sums}, push,
                     {groups(count, ProductTile::kCols), groups(rows, kTile.rows())},
                     2.0 * static_cast<double>(rows * count) * static_cast<double>(k + width));
        }));
    SCROOGE_RETURN_IF_ERROR(run(shaders::refit_scale, quant_constants(params.spec), {scales.binding, sums}, push,
                                {groups(rows, 64)}, 100.0 * static_cast<double>(rows)));
  }
  return {};
}

Status VulkanDevice::refit_scales(const RefitScalesParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t k = params.w.cols;
  if (params.w.rows == 0 || k == 0) return {};
  const int64_t sums = refit_sums(params.spec.group_length(k));
  const int64_t most = scratch_rows(sums, params.w.rows);
  const uint64_t bytes = scratch_part(most * sums);
  SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, scratch(bytes));
  return Windows(physical())
      .for_rows("refit_scales", params.w.rows, {&params.w, &params.codes, &params.scales, &params.zeros}, most,
                [&](int64_t first, int64_t rows) {
                  return refit_rows(params, first, rows, {memory, 0, bytes});
                });
}

}  // namespace scrooge::backend::vulkan
