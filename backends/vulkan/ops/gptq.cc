// SPDX-License-Identifier: Apache-2.0
// Tiles of rows, steps in blocks of kGptqBlock: the steps of a block are done one after another within each row, and
// its errors are spread over all later steps by one product for each window of the factor.
#include <algorithm>

#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"
#include "backends/vulkan/quant_constants.h"
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/shaders/gptq_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(gptq_block)
SCROOGE_VULKAN_SHADER(gptq_spread)
SCROOGE_VULKAN_SHADER(gptq_store)

// The steps [begin, begin + count) of all rows of a tile.
Status VulkanDevice::gptq_block(const GptqParams& params, const GptqSpace& space, GptqPush push) {
  const Windows windows(physical());
  const auto begin = static_cast<int64_t>(push.begin), count = static_cast<int64_t>(push.count);
  const Matrix columns = params.factor.col_range(begin, count);
  const Window own = windows.of(columns.row_range(begin, count));
  push.factor = own.view;
  SCROOGE_RETURN_IF_ERROR(run(shaders::gptq_block, quant_constants(params.spec),
                              {space.work, space.scales.binding, space.zeros.binding, own.binding,
                               space.order.channel_of.binding(), space.errors},
                              push, {groups(push.rows, 64)}, 64.0 * kGptqBlock * push.rows));
  const ProductTile tile = product_tile(physical());
  const int64_t next = begin + count;
  return windows.for_rows("gptq", params.w.cols - next, {&columns}, kMostGroups, [&](int64_t first, int64_t rows) {
    const Window later = windows.of(columns.row_range(next + first, rows));
    push.factor = later.view;
    push.first = static_cast<uint>(next + first);
    push.later = static_cast<uint>(rows);
    return run(shaders::gptq_spread, {{tile.quads, 1, vectors(later, count)}},
               {space.work, later.binding, space.errors}, push,
               {groups(rows, ProductTile::kCols), groups(push.rows, tile.rows())},
               2.0 * (kGptqBlock + 16) * push.rows * static_cast<double>(rows));
  });
}

Status VulkanDevice::gptq(const GptqParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t k = params.w.cols;
  if (params.w.rows == 0 || k == 0) return {};
  const Windows windows(physical());
  SCROOGE_RETURN_IF_ERROR(require_tile(windows, "gptq", params.factor, kGptqBlock));
  const GptqScratch parts(k, params.w.rows);
  SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, scratch(parts.bytes()));
  SCROOGE_ASSIGN_OR_RETURN(StepOrder order, step_order(params.order));
  GptqSpace space{{memory, 0, parts.work}, {memory, parts.work, parts.errors}, std::move(order), {}, {}};
  return windows.for_rows(
      "gptq", params.w.rows, {&params.w, &params.scales, &params.zeros, &params.codes}, parts.rows,
      [&](int64_t first, int64_t rows) -> Status {
        space.scales = windows.of(params.scales.row_range(first, rows));
        space.zeros = windows.of(params.zeros.row_range(first, rows));
        SCROOGE_RETURN_IF_ERROR(gather(Gather::kCols, windows.of(params.w.row_range(first, rows)),
                                       {space.work, {0, static_cast<uint>(k)}}, rows, k,
                                       space.order.channel_of.binding()));
        const Window codes = windows.of(params.codes.row_range(first, rows));
        GptqPush push{};
        push.scales = space.scales.view;
        push.zeros = space.zeros.view;
        push.codes = codes.view;
        push.rows = static_cast<uint>(rows);
        push.cols = static_cast<uint>(k);
        push.group = static_cast<uint>(params.spec.group_length(k));
        for (int64_t begin = 0; begin < k; begin += kGptqBlock) {
          push.begin = static_cast<uint>(begin);
          push.count = static_cast<uint>(std::min<int64_t>(kGptqBlock, k - begin));
          SCROOGE_RETURN_IF_ERROR(gptq_block(params, space, push));
        }
        // A row that begins inside a word reaches into one word more.
        return run(shaders::gptq_store, {}, {space.work, space.order.step_of.binding(), codes.binding}, push,
                   {groups(k / 4 + 2, kElementCols), groups(rows, kElementRows)}, static_cast<double>(rows * k));
      });
}

}  // namespace scrooge::backend::vulkan
