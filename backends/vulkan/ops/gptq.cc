// SPDX-License-Identifier: Apache-2.0
// Tiles of rows, steps in blocks of kGptqBlock: the block's columns of the factor are gathered, its steps are done one
// after another within each row, and its errors are spread over all later steps by one product.
#include <algorithm>
#include <cstring>

#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"
#include "backends/vulkan/quant_constants.h"
#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/shaders/gptq_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(gptq_load)
SCROOGE_VULKAN_SHADER(gptq_gather)
SCROOGE_VULKAN_SHADER(gptq_block)
SCROOGE_VULKAN_SHADER(gptq_spread)
SCROOGE_VULKAN_SHADER(gptq_store)

// The steps [begin, begin + count) of all rows of a tile.
Status VulkanDevice::gptq_block(const GptqParams& params, const GptqSpace& space, GptqPush push) {
  const Windows windows(physical());
  const int64_t k = params.w.cols;
  const auto at = static_cast<int64_t>(push.begin), count = static_cast<int64_t>(push.count);
  const Matrix columns = params.by_channel.col_range(at, count);
  SCROOGE_RETURN_IF_ERROR(windows.for_rows("gptq", k, {&columns}, 8 * kMostGroups, [&](int64_t first, int64_t rows) {
    const Window channels = windows.of(columns.row_range(first, rows));
    GptqPush gather = push;
    // The columns of the block begin at the window's first, not at `begin`.
    gather.outer = {channels.view.offset - push.begin, channels.view.stride};
    gather.rows = static_cast<uint>(rows);
    gather.first = static_cast<uint>(first);
    return run(shaders::gptq_gather, {}, {channels.binding, space.step_of, space.factor}, gather, {1, groups(rows, 8)},
               static_cast<double>(rows * kGptqBlock));
  }));
  SCROOGE_RETURN_IF_ERROR(
      run(shaders::gptq_block, quant_constants(params.spec),
          {space.work, space.scales.binding, space.zeros.binding, space.factor, space.order, space.errors}, push,
          {groups(push.rows, 64)}, 64.0 * kGptqBlock * push.rows));
  const int64_t later = k - at - count;
  if (later == 0) return {};
  const ProductTile tile = product_tile(physical());
  return run(shaders::gptq_spread, {{tile.quads, 1, 1}}, {space.work, space.factor, space.errors}, push,
             {groups(later, ProductTile::kCols), groups(push.rows, tile.rows())},
             2.0 * (kGptqBlock + 16) * push.rows * static_cast<double>(later));
}

Status VulkanDevice::gptq(const GptqParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t k = params.w.cols;
  if (params.w.rows == 0 || k == 0) return {};
  const Windows windows(physical());
  const auto row_bytes = float_bytes(k);
  const GptqScratch parts(k, params.w.rows);
  SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, scratch(parts.bytes()));
  SCROOGE_ASSIGN_OR_RETURN(const HostRange order, commands_.host_range(row_bytes));
  SCROOGE_ASSIGN_OR_RETURN(const HostRange step_of, commands_.host_range(row_bytes));
  std::memcpy(order.data(), params.order.data(), row_bytes);
  for (uint32_t t = 0; t < static_cast<uint32_t>(k); ++t) {
    std::memcpy(step_of.data() + float_bytes(params.order[t]), &t, sizeof(t));
  }
  GptqSpace space{{memory, 0, parts.work},
                  {memory, parts.work, parts.errors},
                  {memory, parts.work + parts.errors, parts.factor},
                  order.binding(),
                  step_of.binding(),
                  {},
                  {}};
  return windows.for_rows(
      "gptq", params.w.rows, {&params.w, &params.scales, &params.zeros, &params.codes}, parts.rows,
      [&](int64_t first, int64_t rows) -> Status {
        space.scales = windows.of(params.scales.row_range(first, rows));
        space.zeros = windows.of(params.zeros.row_range(first, rows));
        const Window w = windows.of(params.w.row_range(first, rows));
        GptqPush push{w.view,
                      space.scales.view,
                      space.zeros.view,
                      static_cast<uint>(rows),
                      static_cast<uint>(k),
                      static_cast<uint>(params.spec.group_length(k)),
                      0,
                      0,
                      0};
        const auto elements = static_cast<double>(rows * k);
        SCROOGE_RETURN_IF_ERROR(run(shaders::gptq_load, {}, {w.binding, space.order, space.work}, push,
                                    {groups(k, kElementCols), groups(rows, kElementRows)}, elements));
        for (int64_t begin = 0; begin < k; begin += kGptqBlock) {
          push.begin = static_cast<uint>(begin);
          push.count = static_cast<uint>(std::min<int64_t>(kGptqBlock, k - begin));
          SCROOGE_RETURN_IF_ERROR(gptq_block(params, space, push));
        }
        const Window codes = windows.of(params.codes.row_range(first, rows));
        push.outer = codes.view;
        // A row that begins inside a word reaches into one word more.
        return run(shaders::gptq_store, {}, {space.work, space.step_of, codes.binding}, push,
                   {groups(k / 4 + 2, kElementCols), groups(rows, kElementRows)}, elements);
      });
}

}  // namespace scrooge::backend::vulkan
