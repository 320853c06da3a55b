// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/shaders/row_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(column_stats)

Status VulkanDevice::column_stats(const ColumnStatsParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  if (params.x.cols == 0) return {};
  constexpr int64_t kRows = 8192, kCols = 32;  // at most, of a dispatch; of a workgroup
  const Windows windows(physical());
  return windows.for_rows("column_stats", params.x.rows, {&params.x}, kRows, [&](int64_t row, int64_t rows) {
    const Window x = windows.of(params.x.row_range(row, rows));
    const auto output = [&](const Vector& v) { return v ? windows.of(v) : Window{x.binding, {}}; };
    const Window sum_abs = output(params.sum_abs), sum = output(params.sum), max_abs = output(params.max_abs);
    const ColumnStatsPush push{
        x.view,          static_cast<uint>(rows), static_cast<uint>(params.x.cols), sum_abs.view.offset,
        sum.view.offset, max_abs.view.offset};
    const std::array<uint32_t, 3> given = {static_cast<bool>(params.sum_abs), static_cast<bool>(params.sum),
                                           static_cast<bool>(params.max_abs)};
    return run(shaders::column_stats, given, {x.binding, sum_abs.binding, sum.binding, max_abs.binding}, push,
               {groups(params.x.cols, kCols)}, static_cast<double>(rows * params.x.cols));
  });
}

}  // namespace scrooge::backend::vulkan
