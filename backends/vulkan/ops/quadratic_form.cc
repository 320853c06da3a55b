// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/quadratic_form.h"

#include "backends/vulkan/shaders/quadratic_push.h"
#include "backends/vulkan/vulkan_device.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(quadratic_form)
SCROOGE_VULKAN_SHADER(quadratic_sum)

namespace {

// A window from column `first` on.
Window from_column(Window window, int64_t first) {
  window.view.offset += static_cast<uint>(first);
  return window;
}

}  // namespace

Status VulkanDevice::quadratic_parts(const QuadraticForm& form, const Matrix& gram, int64_t rows, const Window& a,
                                     const Window* b, const Binding& parts) {
  const Windows windows(physical());
  int64_t slot = 0;
  for (int64_t first = 0; first < gram.rows; first += form.step) {
    const int64_t depth = std::min(form.step, gram.rows - first), cols = gram.cols - first;
    const Window g = windows.of(gram.row_range(first, depth).col_range(first, cols));
    const Window left = from_column(a, first), right = b == nullptr ? left : from_column(*b, first);
    const QuadraticPush push{left.view,
                             right.view,
                             g.view,
                             static_cast<uint>(rows),
                             static_cast<uint>(cols),
                             static_cast<uint>(depth),
                             static_cast<uint>(slot)};
    const std::array<uint32_t, 4> constants = {form.tile.quads, vectors(left, cols) && vectors(right, cols),
                                               vectors(g, cols), b != nullptr};
    const auto columns = static_cast<double>(depth) * (static_cast<double>(cols) - 0.5 * static_cast<double>(depth));
    SCROOGE_RETURN_IF_ERROR(run(shaders::quadratic_form, constants, {left.binding, right.binding, g.binding, parts},
                                push, {groups(cols, ProductTile::kCols), groups(rows, form.tile.rows())},
                                2 * static_cast<double>(rows) * columns));
    slot += QuadraticForm::tiles(cols);
  }
  return {};
}

Status VulkanDevice::quadratic_sums(const QuadraticForm& form, int64_t rows, const Vector& weights, bool together,
                                    const Binding& parts, const Binding& sums, int64_t first_sum) {
  const Window weight = weights ? Windows(physical()).of(weights) : Window{parts, {}};
  const QuadraticSumPush push{static_cast<uint>(rows), static_cast<uint>(form.slots), weight.view.offset,
                              static_cast<uint>(first_sum)};
  return run(shaders::quadratic_sum, {{together, static_cast<bool>(weights)}}, {parts, weight.binding, sums}, push,
             {groups(rows, kQuadraticSumRows)}, static_cast<double>(rows * form.slots));
}

}  // namespace scrooge::backend::vulkan
