// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/ops/codes.h"
#include "backends/vulkan/quant_constants.h"
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(quantize)

Status VulkanDevice::quantize(const QuantizeParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t k = params.w.cols;
  if (k == 0) return {};
  const Windows windows(physical());
  return windows.for_rows("quantize", params.w.rows, {&params.w, &params.scales, &params.zeros, &params.codes},
                          kMostGroups * kElementRows, [&](int64_t first, int64_t count) {
                            const CodesRows rows = codes_rows(windows, params, first, count);
                            // A row that begins inside a word reaches into one word more.
                            return run(shaders::quantize, quant_constants(params.spec),
                                       {rows.w, rows.scales, rows.zeros, rows.codes}, rows.push,
                                       {groups(k / 4 + 2, kElementCols), groups(count, kElementRows)},
                                       static_cast<double>(count * k));
                          });
}

}  // namespace scrooge::backend::vulkan
