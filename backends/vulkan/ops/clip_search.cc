// SPDX-License-Identifier: Apache-2.0
// Tiles of rows: the parameters of all candidates, their losses by a tiled product per group, the best of each group.
#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"
#include "backends/vulkan/quant_constants.h"
#include "backends/vulkan/shaders/clip_push.h"
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(clip_error)
SCROOGE_VULKAN_SHADER(clip_choose)

namespace {

// Of a group's block of the Gram matrix, in one dispatch: a workgroup takes all of them, and must be short.
constexpr int64_t kMostBlockRows = 1024;

}  // namespace

// The groups whose blocks of the Gram matrix one window holds, or the rows of one block that it holds.
Status VulkanDevice::clip_losses(const ClipSearchParams& params, int64_t first, int64_t rows,
                                 const ClipTrials& trials) {
  const Windows windows(physical());
  const Window w = windows.of(params.w.row_range(first, rows));
  const int64_t k = params.w.cols, length = params.spec.group_length(k), count = params.scales.cols;
  const auto candidates = static_cast<int64_t>(params.candidates.size());
  const ProductTile tile = product_tile(physical());
  const auto run_part = [&](int64_t group, int64_t groups_at_once, int64_t row, int64_t row_end) {
    const int64_t begin = group * length, end = std::min(k, begin + groups_at_once * length);
    const int64_t last_row = groups_at_once == 1 ? std::min(end, begin + row_end) : end;
    const Window gram =
        windows.of(params.gram.row_range(begin + row, last_row - begin - row).col_range(begin, end - begin));
    const ClipErrorPush push{w.view,
                             gram.view,
                             static_cast<uint>(rows),
                             static_cast<uint>(k),
                             static_cast<uint>(count),
                             static_cast<uint>(length),
                             static_cast<uint>(candidates),
                             static_cast<uint>(group),
                             static_cast<uint>(row),
                             static_cast<uint>(row_end),
                             row > 0};
    const bool by_vectors = vectors(gram, length) && k % 4 == 0;
    return run(shaders::clip_error, quant_constants(params.spec, {}, {tile.quads, 0, by_vectors}),
               {w.binding, gram.binding, trials.scales, trials.zeros, trials.losses}, push,
               {groups(rows * candidates, tile.rows()), static_cast<uint32_t>(groups_at_once)},
               2.0 * static_cast<double>(rows * candidates) * static_cast<double>(groups_at_once) *
                   static_cast<double>(row_end - row) * static_cast<double>(length + 16));
  };
  for (int64_t group = 0; group < count;) {
    const int64_t begin = group * length;
    Matrix rest = params.gram.row_range(begin, k - begin).col_range(begin, k - begin);
    // Windows as wide as all groups that are left: a few rows less than would fit.
    const int64_t whole = std::max<int64_t>(windows.rows_that_fit(rest), 1) >= rest.rows
                              ? count - group
                              : windows.rows_that_fit(rest) / length;
    if (whole >= 1 && length <= kMostBlockRows) {
      const int64_t at_once = std::min({whole, count - group, kMostGroups});
      SCROOGE_RETURN_IF_ERROR(run_part(group, at_once, 0, length));
      group += at_once;
      continue;
    }
    const Matrix block = rest.row_range(0, std::min(length, k - begin)).col_range(0, std::min(length, k - begin));
    SCROOGE_RETURN_IF_ERROR(windows.for_rows(
        "clip_search", block.rows, {&block}, kMostBlockRows,
        [&](int64_t row, int64_t rows_of_block) { return run_part(group, 1, row, row + rows_of_block); }));
    group += 1;
  }
  return {};
}

Status VulkanDevice::clip_search(const ClipSearchParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t k = params.w.cols, count = params.scales.cols;
  const auto candidates = static_cast<int64_t>(params.candidates.size());
  if (params.w.rows == 0 || k == 0) return {};
  const Windows windows(physical());
  SCROOGE_ASSIGN_OR_RETURN(const HostRange ratios, clip_ratios(params.candidates));
  const ClipScratch parts(count * candidates, std::min(params.w.rows, kMostGroups));
  const uint64_t plane = parts.plane;
  if (plane > physical().range) {
    return error(StatusCode::kUnsupported, "clip_search: ", count, " groups a row with ", candidates,
                 " candidates are too many for this device; use larger groups");
  }
  SCROOGE_ASSIGN_OR_RETURN(Memory* const space, scratch(parts.bytes()));
  const ClipTrials trials{{space, 0, plane}, {space, plane, plane}, {space, 2 * plane, plane}};
  const auto planes = {&params.w, &params.scales, &params.zeros, &params.error};
  return windows.for_rows("clip_search", params.w.rows, planes, parts.rows, [&](int64_t first, int64_t rows) -> Status {
    const View trial_view{0, static_cast<uint>(count * candidates)};
    SCROOGE_RETURN_IF_ERROR(run_group_params(params.w.row_range(first, rows), params.spec, params.rule, ratios,
                                             candidates, {trials.scales, trial_view}, {trials.zeros, trial_view}));
    SCROOGE_RETURN_IF_ERROR(clip_losses(params, first, rows, trials));
    const Window scales = windows.of(params.scales.row_range(first, rows));
    const Window zeros = windows.of(params.zeros.row_range(first, rows));
    const Window errors = windows.of(params.error.row_range(first, rows));
    const ClipChoosePush push{scales.view,
                              zeros.view,
                              errors.view,
                              static_cast<uint>(rows),
                              static_cast<uint>(count),
                              static_cast<uint>(candidates)};
    return run(shaders::clip_choose, {},
               {trials.scales, trials.zeros, trials.losses, scales.binding, zeros.binding, errors.binding}, push,
               {groups(count, kElementCols), groups(rows, kElementRows)},
               static_cast<double>(rows * count * candidates));
  });
}

}  // namespace scrooge::backend::vulkan
