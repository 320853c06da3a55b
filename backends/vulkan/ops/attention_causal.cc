// SPDX-License-Identifier: Apache-2.0
// For some queries and heads of one sequence at a time, as many as the scratch has room for: their scores, a softmax of
// each row, and the weighted values. Keys and values are read window by window.
#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"
#include "backends/vulkan/shaders/attention_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(attention_scores)
SCROOGE_VULKAN_SHADER(attention_softmax)
SCROOGE_VULKAN_SHADER(attention_values)

Status VulkanDevice::attention_causal(const AttentionCausalParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t length = params.sequence_length;
  const AttentionScratch space(length, params.heads);
  const Windows windows(physical());
  for (int64_t start = 0; start < params.q.rows; start += length) {
    const auto queries = [&](int64_t first, int64_t rows) -> Status {
      for (int64_t head = 0; head < params.heads; head += space.heads) {
        const AttentionPart part{start, first, rows, head, std::min(space.heads, params.heads - head)};
        SCROOGE_RETURN_IF_ERROR(attend(params, space, part));
      }
      return {};
    };
    SCROOGE_RETURN_IF_ERROR(
        windows.for_rows("attention_causal", length, {&params.q, &params.out}, space.rows, queries));
  }
  return {};
}

Status VulkanDevice::attend(const AttentionCausalParams& params, const AttentionScratch& space,
                            const AttentionPart& part) {
  const Windows windows(physical());
  const ProductTile tile = product_tile(physical());
  const int64_t seen = part.first + part.rows;
  SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, scratch(space.bytes()));
  const Window scores{{memory, 0, space.score_bytes()}, {0, static_cast<uint>(space.stride)}};
  const Binding sums{memory, space.score_bytes(), space.sum_bytes()};
  const Window q = windows.of(params.q.row_range(part.start + part.first, part.rows));
  const Window out = windows.of(params.out.row_range(part.start + part.first, part.rows));
  const auto push = [&](const Window& kv, int64_t key, int64_t keys) {
    return AttentionPush{q.view,
                         kv.view,
                         out.view,
                         static_cast<uint>(part.rows),
                         static_cast<uint>(keys),
                         static_cast<uint>(params.head_width),
                         static_cast<uint>(part.first),
                         static_cast<uint>(key),
                         static_cast<uint>(part.head),
                         static_cast<uint>(params.heads / params.kv_heads),
                         static_cast<uint>(space.stride),
                         params.scale};
  };
  const auto tiles = static_cast<uint32_t>(groups(part.rows, tile.rows()));
  const auto heads = static_cast<uint32_t>(part.heads);
  const auto work = [&](int64_t cols) {
    return static_cast<double>(part.heads * part.rows) * static_cast<double>(cols);
  };
  SCROOGE_RETURN_IF_ERROR(windows.for_rows("attention_causal", seen, {&params.k}, seen, [&](int64_t key, int64_t keys) {
    const Window k = windows.of(params.k.row_range(part.start + key, keys));
    const std::array<uint32_t, 3> constants = {tile.quads, vectors(q, params.head_width),
                                               vectors(k, params.head_width)};
    return run(shaders::attention_scores, constants, {q.binding, k.binding, scores.binding}, push(k, key, keys),
               {groups(keys, ProductTile::kCols), tiles, heads}, 2 * work(keys * params.head_width));
  }));
  SCROOGE_RETURN_IF_ERROR(run(shaders::attention_softmax, {}, {scores.binding, sums}, push({}, 0, seen),
                              {static_cast<uint32_t>(part.rows), heads}, work(seen)));
  return windows.for_rows("attention_causal", seen, {&params.v}, seen, [&](int64_t key, int64_t keys) {
    const Window v = windows.of(params.v.row_range(part.start + key, keys));
    const std::array<uint32_t, 3> constants = {tile.quads, key % 4 == 0, vectors(v, params.head_width)};
    return run(shaders::attention_values, constants, {scores.binding, v.binding, sums, out.binding}, push(v, key, keys),
               {groups(params.head_width, ProductTile::kCols), tiles, heads}, 2 * work(keys * params.head_width));
  });
}

}  // namespace scrooge::backend::vulkan
