// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/shaders/codes_push.h"
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(pack)

Status VulkanDevice::pack(const PackParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t bytes = params.packed.cols;
  if (bytes == 0) return {};
  const Windows windows(physical());
  return windows.for_rows("pack", params.codes.rows, {&params.codes, &params.packed}, kMostGroups * kElementRows,
                          [&](int64_t first, int64_t count) {
                            const Window codes = windows.of(params.codes.row_range(first, count));
                            const Window packed = windows.of(params.packed.row_range(first, count));
                            const CodesPush push{packed.view,
                                                 {},
                                                 {},
                                                 codes.view,
                                                 static_cast<uint>(count),
                                                 static_cast<uint>(params.codes.cols),
                                                 static_cast<uint>(bytes),
                                                 static_cast<uint>(params.bits)};
                            // A row that begins inside a word reaches into one word more.
                            return run(shaders::pack, {}, {codes.binding, packed.binding}, push,
                                       {groups(bytes / 4 + 2, kElementCols), groups(count, kElementRows)},
                                       static_cast<double>(count * params.codes.cols));
                          });
}

}  // namespace scrooge::backend::vulkan
