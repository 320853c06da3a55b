// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(convert)

Status VulkanDevice::convert(const ConvertParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const Windows windows(physical());
  const std::array<uint32_t, 2> constants = {static_cast<uint32_t>(params.from.dtype),
                                             static_cast<uint32_t>(params.to.dtype)};
  const int64_t in_word = params.to.dtype == DType::kF32 ? 1 : 2;
  return windows.for_each(
      params.from.rows, params.from.cols, {&params.from, &params.to}, kElementRows, [&](const Piece& piece) {
        const Window from = windows.of(params.from, piece), to = windows.of(params.to, piece);
        const ElementPush push{from.view, {}, to.view, static_cast<uint>(piece.rows), static_cast<uint>(piece.cols), 0};
        // A row that begins inside a word reaches into one word more.
        const int64_t words = in_word == 1 ? piece.cols : piece.cols / 2 + 1;
        return run(shaders::convert, constants, {from.binding, to.binding}, push,
                   {groups(words, kElementCols), groups(piece.rows, kElementRows)},
                   static_cast<double>(piece.rows * piece.cols));
      });
}

}  // namespace scrooge::backend::vulkan
