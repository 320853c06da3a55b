// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(scale_axis)

Status VulkanDevice::scale_axis(const ScaleAxisParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const Windows windows(physical());
  const bool by_row = params.axis == ScaleAxisParams::Axis::kRows;
  return windows.for_each(params.x.rows, params.x.cols, {&params.x, &params.y}, kElementRows, [&](const Piece& piece) {
    const Window x = windows.of(params.x, piece), y = windows.of(params.y, piece);
    const Window s = by_row ? windows.of(params.s, piece.row, piece.rows) : windows.of(params.s, piece.col, piece.cols);
    const ElementPush push{x.view, s.view, y.view, static_cast<uint>(piece.rows), static_cast<uint>(piece.cols), 0};
    return run(shaders::scale_axis, {{by_row}}, {x.binding, s.binding, y.binding}, push,
               {groups(piece.cols, kElementCols), groups(piece.rows, kElementRows)},
               static_cast<double>(piece.rows * piece.cols));
  });
}

}  // namespace scrooge::backend::vulkan
