// SPDX-License-Identifier: Apache-2.0
// Tiles of rows: x in the order of the steps in the scratch, times U^T into y, times U into the scratch again, and from
// there in the order of the channels to y. A window of the factor has whole tiles of steps, so that sums begin where
// they would without windows.
#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"
#include "backends/vulkan/shaders/gram_solve_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(gram_solve)

Status VulkanDevice::multiply_factor(const Matrix& factor, bool upper, int64_t rows, const Window& x, Window y) {
  const Windows windows(physical());
  const ProductTile tile = product_tile(physical());
  const int64_t k = factor.rows, step = whole_tiles(windows, factor, ProductTile::kCols);
  const uint first_column = y.view.offset;
  for (int64_t first = 0; first < k; first += step) {
    const int64_t steps = std::min(step, k - first);
    const Window u = windows.of(factor.row_range(first, steps));
    y.view.offset = first_column + static_cast<uint>(first);
    const GramSolvePush push{x.view,
                             u.view,
                             y.view,
                             static_cast<uint>(rows),
                             static_cast<uint>(first),
                             static_cast<uint>(steps),
                             static_cast<uint>(k)};
    const double middle = static_cast<double>(first) + 0.5 * static_cast<double>(steps);
    const double depth = upper ? middle : static_cast<double>(k) - middle;
    SCROOGE_RETURN_IF_ERROR(run(shaders::gram_solve, product_constants(tile, vectors(x, k), vectors(u, k), upper),
                                {x.binding, u.binding, y.binding}, push,
                                {groups(steps, ProductTile::kCols), groups(rows, tile.rows())},
                                2.0 * static_cast<double>(rows) * static_cast<double>(steps) * (depth + 48)));
  }
  return {};
}

Status VulkanDevice::gram_solve(const GramSolveParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t k = params.x.cols;
  if (params.x.rows == 0 || k == 0) return {};
  const Windows windows(physical());
  SCROOGE_RETURN_IF_ERROR(require_tile(windows, "gram_solve", params.factor, ProductTile::kCols));
  const GramSolveScratch parts(k, params.x.rows);
  SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, scratch(parts.bytes()));
  const Window in_steps{{memory, 0, parts.bytes()}, {0, static_cast<uint>(parts.stride)}};
  SCROOGE_ASSIGN_OR_RETURN(const StepOrder order, step_order(params.order));
  const auto some = [&](int64_t first, int64_t rows) -> Status {
    const Window x = windows.of(params.x.row_range(first, rows)), y = windows.of(params.y.row_range(first, rows));
    SCROOGE_RETURN_IF_ERROR(gather(Gather::kCols, x, in_steps, rows, k, order.channel_of.binding()));
    SCROOGE_RETURN_IF_ERROR(multiply_factor(params.factor, false, rows, in_steps, y));
    SCROOGE_RETURN_IF_ERROR(multiply_factor(params.factor, true, rows, y, in_steps));
    return gather(Gather::kCols, in_steps, y, rows, k, order.step_of.binding());
  };
  return windows.for_rows("gram_solve", params.x.rows, {&params.x, &params.y}, parts.rows, some);
}

}  // namespace scrooge::backend::vulkan
