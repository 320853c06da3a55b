// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(gate)

Status VulkanDevice::gate(const GateParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const Windows windows(physical());
  return windows.for_each(
      params.a.rows, params.a.cols, {&params.a, &params.b, &params.y}, kElementRows, [&](const Piece& piece) {
        const Window a = windows.of(params.a, piece), b = windows.of(params.b, piece);
        const Window y = windows.of(params.y, piece);
        const ElementPush push{a.view, b.view, y.view, static_cast<uint>(piece.rows), static_cast<uint>(piece.cols), 0};
        return run(shaders::gate, {{static_cast<uint32_t>(params.activation)}}, {a.binding, b.binding, y.binding}, push,
                   {groups(piece.cols, kElementCols), groups(piece.rows, kElementRows)},
                   static_cast<double>(piece.rows * piece.cols));
      });
}

}  // namespace scrooge::backend::vulkan
