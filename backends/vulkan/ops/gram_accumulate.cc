// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/product.h"
#include "backends/vulkan/shaders/gram_push.h"
#include "backends/vulkan/shaders/transpose_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(gram_accumulate)
SCROOGE_VULKAN_SHADER(transpose)

namespace {

// Of one dispatch, whose sums then join those of the Gram matrix: so that no workgroup takes long.
constexpr int64_t kTokens = 1024;

}  // namespace

// Tiles of the Gram matrix by rows, as bindings hold them; with `symmetric`, only what is right of the first row's
// diagonal.
Status VulkanDevice::gram_accumulate(const GramAccumulateParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  if (params.gram.rows == 0 || params.gram.cols == 0) return {};
  const Windows windows(physical());
  const ProductTile tile = product_tile(physical());
  const int64_t step = whole_tiles(windows, params.gram, tile.rows());
  SCROOGE_RETURN_IF_ERROR(windows.require_row("gram_accumulate", params.gram));
  const auto some_tokens = [&](int64_t token, int64_t tokens) -> Status {
    for (int64_t row = 0; row < params.gram.rows; row += step) {
      SCROOGE_RETURN_IF_ERROR(add_to_gram(params, token, tokens, row, std::min(step, params.gram.rows - row)));
    }
    return {};
  };
  SCROOGE_RETURN_IF_ERROR(
      windows.for_rows("gram_accumulate", params.a.rows, {&params.a, &params.b}, kTokens, some_tokens));
  return params.mirror ? transpose(params.gram, params.gram, true) : Status();
}

Status VulkanDevice::add_to_gram(const GramAccumulateParams& params, int64_t token, int64_t tokens, int64_t row,
                                 int64_t rows) {
  const Windows windows(physical());
  const ProductTile tile = product_tile(physical());
  const int64_t col = params.symmetric ? row : 0, cols = params.gram.cols - col;
  const Window a = windows.of(params.a.row_range(token, tokens).col_range(row, rows));
  const Window b = windows.of(params.b.row_range(token, tokens).col_range(col, cols));
  const Window gram = windows.of(params.gram.row_range(row, rows).col_range(col, cols));
  const GramPush push{a.view,
                      b.view,
                      gram.view,
                      static_cast<uint>(tokens),
                      static_cast<uint>(rows),
                      static_cast<uint>(cols),
                      static_cast<uint>(row - col)};
  return run(shaders::gram_accumulate, product_constants(tile, vectors(a, rows), vectors(b, cols), params.symmetric),
             {a.binding, b.binding, gram.binding}, push, {groups(cols, ProductTile::kCols), groups(rows, tile.rows())},
             2.0 * static_cast<double>(rows) * static_cast<double>(cols) * static_cast<double>(tokens + 16));
}

Status VulkanDevice::transpose(const Matrix& from, const Matrix& to, bool lower) {
  const Windows windows(physical());
  const int64_t step = whole_tiles(windows, to, kTransposeTile), from_step = whole_tiles(windows, from, kTransposeTile);
  for (int64_t row = 0; row < to.rows; row += step) {
    const int64_t rows = std::min(step, to.rows - row), end = lower ? std::min(row + rows, to.cols) : to.cols;
    for (int64_t col = 0; col < end; col += from_step) {
      const int64_t cols = std::min(from_step, end - col);
      const Window source = windows.of(from.row_range(col, cols).col_range(row, rows));
      const Window target = windows.of(to.row_range(row, rows).col_range(col, cols));
      const TransposePush push{
          source.view,           target.view, static_cast<uint>(rows), static_cast<uint>(cols), static_cast<uint>(row),
          static_cast<uint>(col)};
      SCROOGE_RETURN_IF_ERROR(run(shaders::transpose, {{lower}}, {source.binding, target.binding}, push,
                                  {groups(cols, kTransposeTile), groups(rows, kTransposeTile)},
                                  static_cast<double>(rows * cols)));
    }
  }
  return {};
}

}  // namespace scrooge::backend::vulkan
