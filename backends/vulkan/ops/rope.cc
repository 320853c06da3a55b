// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/shaders/rope_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(rope)

Status VulkanDevice::rope(const RopeParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t pairs = params.inv_freq.size, heads = params.x.cols / params.head_width;
  if (pairs == 0 || heads == 0) return {};
  constexpr int64_t kPairs = 32, kRows = 8;  // of a workgroup
  const Windows windows(physical());
  return windows.for_rows("rope", params.x.rows, {&params.x}, kMostGroups, [&](int64_t row, int64_t rows) {
    const Window x = windows.of(params.x.row_range(row, rows)), frequencies = windows.of(params.inv_freq);
    const RopePush push{x.view,
                        frequencies.view.offset,
                        static_cast<uint>(rows),
                        static_cast<uint>(pairs),
                        static_cast<uint>(heads),
                        static_cast<uint>(params.head_width),
                        static_cast<uint>(row % params.sequence_length),
                        static_cast<uint>(params.sequence_length),
                        params.magnitude};
    return run(shaders::rope, {}, {x.binding, frequencies.binding}, push, {groups(pairs, kPairs), groups(rows, kRows)},
               static_cast<double>(rows * params.x.cols));
  });
}

}  // namespace scrooge::backend::vulkan
