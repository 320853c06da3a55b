// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/pair_sums.h"
#include "backends/vulkan/quadratic_form.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {
namespace {

struct RowSums {
  HostRange range;
  int64_t row, rows;
};

}  // namespace

Status VulkanDevice::gram_loss(const GramLossParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  if (params.a.rows == 0 || params.a.cols == 0) {
    std::ranges::fill(params.loss, 0.0);
    return {};
  }
  const Windows windows(physical());
  SCROOGE_RETURN_IF_ERROR(require_tile(windows, "gram_loss", params.gram, ProductTile::kCols));
  const QuadraticForm form(physical(), params.gram);
  std::vector<RowSums> all;
  const auto some = [&](int64_t row, int64_t rows) -> Status {
    SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, scratch(form.part_bytes(rows)));
    SCROOGE_ASSIGN_OR_RETURN(const HostRange sums, commands_.host_range(static_cast<uint64_t>(rows) * kPairBytes));
    const Binding parts{memory, 0, form.part_bytes(rows)};
    const Window left = windows.of(params.a.row_range(row, rows)), right = windows.of(params.b.row_range(row, rows));
    SCROOGE_RETURN_IF_ERROR(quadratic_parts(form, params.gram, rows, left, &right, parts));
    SCROOGE_RETURN_IF_ERROR(quadratic_sums(form, rows, {}, false, parts, sums.binding(), 0));
    all.push_back({sums, row, rows});
    return {};
  };
  SCROOGE_RETURN_IF_ERROR(windows.for_rows("gram_loss", params.a.rows, {&params.a, &params.b}, form.rows, some));
  SCROOGE_RETURN_IF_ERROR(commands_.finish());
  for (const RowSums& part : all) {
    for (int64_t i = 0; i < part.rows; ++i) params.loss[static_cast<size_t>(part.row + i)] = pair_at(part.range, i);
  }
  return {};
}

}  // namespace scrooge::backend::vulkan
