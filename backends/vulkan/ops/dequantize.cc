// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/ops/codes.h"
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(dequantize)

Status VulkanDevice::dequantize(const DequantizeParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t k = params.w.cols;
  if (k == 0) return {};
  const Windows windows(physical());
  return windows.for_rows("dequantize", params.w.rows, {&params.w, &params.scales, &params.zeros, &params.codes},
                          kMostGroups * kElementRows, [&](int64_t first, int64_t count) {
                            const CodesRows rows = codes_rows(windows, params, first, count);
                            return run(shaders::dequantize, {}, {rows.codes, rows.scales, rows.zeros, rows.w},
                                       rows.push, {groups(k, kElementCols), groups(count, kElementRows)},
                                       static_cast<double>(count * k));
                          });
}

}  // namespace scrooge::backend::vulkan
