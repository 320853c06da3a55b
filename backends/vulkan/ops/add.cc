// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(add)

Status VulkanDevice::add(const AddParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const Windows windows(physical());
  return windows.for_each(params.x.rows, params.x.cols, {&params.x, &params.y}, kElementRows, [&](const Piece& piece) {
    const Window x = windows.of(params.x, piece), y = windows.of(params.y, piece);
    const ElementPush push{x.view,      {}, y.view, static_cast<uint>(piece.rows), static_cast<uint>(piece.cols),
                           params.alpha};
    return run(shaders::add, {}, {x.binding, y.binding}, push,
               {groups(piece.cols, kElementCols), groups(piece.rows, kElementRows)},
               static_cast<double>(piece.rows * piece.cols));
  });
}

}  // namespace scrooge::backend::vulkan
