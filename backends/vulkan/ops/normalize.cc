// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/shaders/row_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(normalize)

Status VulkanDevice::normalize(const NormalizeParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  if (params.x.cols == 0) return {};
  const Windows windows(physical());
  const double inverse = 1 / static_cast<double>(params.x.cols);
  const auto upper = static_cast<float>(inverse);
  const auto rest = static_cast<float>(inverse - static_cast<double>(upper));
  return windows.for_rows(
      "normalize", params.x.rows, {&params.x, &params.y}, kMostGroups, [&](int64_t row, int64_t rows) {
        const Window x = windows.of(params.x.row_range(row, rows)), y = windows.of(params.y.row_range(row, rows));
        const Window gamma = windows.of(params.gamma);
        const NormalizePush push{x.view, y.view, gamma.view.offset, static_cast<uint>(params.x.cols),
                                 upper,  rest,   params.epsilon};
        return run(shaders::normalize, {}, {x.binding, gamma.binding, y.binding}, push, {static_cast<uint32_t>(rows)},
                   static_cast<double>(rows * params.x.cols));
      });
}

}  // namespace scrooge::backend::vulkan
