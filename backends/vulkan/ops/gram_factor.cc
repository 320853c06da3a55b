// SPDX-License-Identifier: Apache-2.0
// With H reversed in the order of the steps and L its Cholesky factor, step j of the factor is row (K - 1 - j) of L^-1,
// read backwards. All in the one matrix `factor`: first H in the order of the steps, then L and then L^-1 in tiles of
// 32 by 32 double_float numbers, whose values are in the upper triangle and whose remainders are in the lower one, as
// shaders/gram_factor_push.h says; the inverses of the diagonal tiles are in the scratch. Tile columns of L one after
// the other, left-looking, with a workgroup for each tile; then tile rows of L^-1 likewise; then the lower triangle
// from the upper one.
#include <cstring>

#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"
#include "backends/vulkan/shaders/gram_factor_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(gram_factor_trace)
SCROOGE_VULKAN_SHADER(gram_factor_tile)
SCROOGE_VULKAN_SHADER(gram_factor_diagonal)
SCROOGE_VULKAN_SHADER(gram_factor_panel)
SCROOGE_VULKAN_SHADER(gram_factor_invert)
SCROOGE_VULKAN_SHADER(gram_factor_unit)

class GramFactorization {
 public:
  GramFactorization(VulkanDevice& device, const GramFactorParams& params)
      : device_(device),
        params_(params),
        windows_(device.physical()),
        size_(params.gram.rows),
        step_(std::min(size_, whole_tiles(windows_, params.factor, kFactorTile))),
        parts_(size_) {}

  Status prepare() {
    SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, device_.scratch(parts_.bytes()));
    strip_ = {memory, 0, parts_.strip};
    state_ = {memory, 0, parts_.state};
    panel_ = {memory, parts_.state, parts_.panel};
    sums_ = {memory, parts_.state + parts_.panel, parts_.panel};
    SCROOGE_ASSIGN_OR_RETURN(order_, device_.step_order(params_.order));
    return {};
  }

  // factor = gram in the order of the steps. Through strips in the scratch: the columns of some rows, then the rows of
  // some columns.
  Status arrange() {
    const bool in_place = params_.gram.buffer == params_.factor.buffer && params_.gram.offset == params_.factor.offset;
    const auto order_columns = [&](int64_t row, int64_t rows) -> Status {
      const Window from = windows_.of(params_.gram.row_range(row, rows));
      const Window to = windows_.of(params_.factor.row_range(row, rows));
      const Window strip{strip_, {0, static_cast<uint>(size_)}};
      SCROOGE_RETURN_IF_ERROR(gather(Gather::kCols, from, in_place ? strip : to, rows, size_));
      return in_place ? gather(Gather::kCopy, strip, to, rows, size_) : Status();
    };
    SCROOGE_RETURN_IF_ERROR(
        windows_.for_rows("gram_factor", size_, {&params_.gram, &params_.factor}, parts_.strip_lines, order_columns));
    for (int64_t col = 0; col < size_; col += parts_.strip_lines) {
      const int64_t cols = std::min(parts_.strip_lines, size_ - col);
      const Matrix part = params_.factor.col_range(col, cols);
      const auto strip = [&](int64_t row) {
        return Window{strip_, {static_cast<uint>(row * cols), static_cast<uint>(cols)}};
      };
      const auto load = [&](int64_t row, int64_t rows) {
        return gather(Gather::kCopy, windows_.of(part.row_range(row, rows)), strip(row), rows, cols);
      };
      const auto store = [&](int64_t row, int64_t rows) {
        return gather(Gather::kRows, strip(0), windows_.of(part.row_range(row, rows)), rows, cols, row);
      };
      SCROOGE_RETURN_IF_ERROR(windows_.for_rows("gram_factor", size_, {&part}, kMostGroups, load));
      SCROOGE_RETURN_IF_ERROR(windows_.for_rows("gram_factor", size_, {&part}, kMostGroups, store));
    }
    return {};
  }

  // The trace of H, and what damping adds, in the state.
  Status trace() {
    const double factor = params_.damping / static_cast<double>(size_);
    for (int64_t row = 0; row < size_; row += step_) {
      const Window from = windows_.of(params_.factor.row_range(row, rows_at(row)));
      FactorTracePush push{};
      push.from = from.view;
      push.size = static_cast<uint>(size_);
      push.first = static_cast<uint>(row);
      push.rows = static_cast<uint>(rows_at(row));
      push.factor = static_cast<float>(factor);
      push.factor_rest = static_cast<float>(factor - static_cast<double>(push.factor));
      SCROOGE_RETURN_IF_ERROR(device_.run(shaders::gram_factor_trace, {}, {from.binding, state_}, push, {},
                                          static_cast<double>(push.rows)));
    }
    return {};
  }

  Status factorize() {
    for (int64_t tile = 0; tile < tiles(size_); ++tile) {
      SCROOGE_RETURN_IF_ERROR(column(tile, tile, 0));
      FactorPush push{};
      push.size = static_cast<uint>(size_);
      push.fixed_tile = static_cast<uint>(tile);
      SCROOGE_RETURN_IF_ERROR(device_.run(shaders::gram_factor_diagonal, {}, {state_}, push, {}, kTileWork));
      SCROOGE_RETURN_IF_ERROR(column(tile + 1, tile, 1));
    }
    return {};
  }

  Result<bool> succeeded() {
    SCROOGE_ASSIGN_OR_RETURN(const HostRange answer, device_.commands_.host_range(sizeof(float)));
    SCROOGE_RETURN_IF_ERROR(
        device_.commands_.copy(*state_.memory, state_.offset, *answer.memory, answer.offset, sizeof(float)));
    SCROOGE_RETURN_IF_ERROR(device_.commands_.finish());
    float broken = 0;
    std::memcpy(&broken, answer.data(), sizeof broken);
    return broken == 0;
  }

  Status invert() {
    for (int64_t tile = 1; tile < tiles(size_); ++tile) SCROOGE_RETURN_IF_ERROR(invert_row(tile));
    for (int64_t row = 0; row < size_; row += step_) {
      const Rows window = rows_of(row, rows_at(row));
      SCROOGE_RETURN_IF_ERROR(device_.run(shaders::gram_factor_unit, {}, {window.values, state_},
                                          push_of(window, row, row / kFactorTile), {groups(rows_at(row), kFactorTile)},
                                          static_cast<double>(rows_at(row))));
    }
    return device_.transpose(params_.factor, params_.factor, true);
  }

 private:
  using Gather = VulkanDevice::Gather;
  static constexpr double kTileWork = 32.0 * 32 * 32;  // multiplications of a tile by a tile

  struct Rows {
    Binding values, rests;
    FactorRows views;
  };

  static int64_t tiles(int64_t rows) { return groups(rows, kFactorTile); }
  int64_t rows_at(int64_t first) const { return std::min(step_, size_ - first); }

  Rows rows_of(int64_t first, int64_t rows) const {
    const Window values = windows_.of(params_.factor.row_range(size_ - first - rows, rows));
    const Window rests = windows_.of(params_.factor.row_range(first, rows));
    const auto last = static_cast<uint>((rows - 1) * params_.factor.stride + size_ - 1);
    return {values.binding, rests.binding, {{values.view.offset + last, values.view.stride}, rests.view}};
  }
  Rows rows_of_tile(int64_t tile) const {
    return rows_of(tile * kFactorTile, std::min(kFactorTile, size_ - tile * kFactorTile));
  }

  FactorPush push_of(const Rows& window, int64_t first_row, int64_t first_tile) const {
    FactorPush push{};
    push.window = window.views;
    push.size = static_cast<uint>(size_);
    push.first_row = static_cast<uint>(first_row);
    push.first_tile = static_cast<uint>(first_tile);
    return push;
  }

  Status gather(Gather how, const Window& from, const Window& to, int64_t rows, int64_t cols, int64_t first = 0) {
    return device_.gather(how, from, to, rows, cols, order_.channel_of.binding(), first);
  }

  // Row tiles from `first` on of the column tile `fixed`, window by window.
  Status column(int64_t first, int64_t fixed, uint32_t stage) {
    const Rows of_fixed = rows_of_tile(fixed);
    while (first < tiles(size_)) {
      const int64_t row = first * kFactorTile / step_ * step_;
      const int64_t last = tiles(row + rows_at(row));
      const Rows window = rows_of(row, rows_at(row));
      FactorPush push = push_of(window, row, first);
      push.of_fixed = of_fixed.views;
      push.fixed_tile = static_cast<uint>(fixed);
      SCROOGE_RETURN_IF_ERROR(device_.run(
          shaders::gram_factor_tile, {{stage}}, {window.values, window.rests, of_fixed.values, of_fixed.rests, state_},
          push, {static_cast<uint32_t>(last - first)},
          static_cast<double>(last - first) * kTileWork * (stage == 1 ? 1.0 : static_cast<double>(fixed + 1))));
      first = last;
    }
    return {};
  }

  // What is left of the diagonal in the row tile `tile` of L^-1, in the place of L.
  Status invert_row(int64_t tile) {
    const Rows own = rows_of_tile(tile);
    FactorPush push{};
    push.of_fixed = own.views;
    push.size = static_cast<uint>(size_);
    push.fixed_tile = static_cast<uint>(tile);
    SCROOGE_RETURN_IF_ERROR(device_.run(shaders::gram_factor_panel, {}, {own.values, own.rests, panel_}, push,
                                        {groups(tile * kFactorTile, 64), kFactorTile / 4}, 32.0 * 32 * double(tile)));
    for (int64_t row = 0; row < tile * kFactorTile; row += step_) {
      const Rows window = rows_of(row, rows_at(row));
      const int64_t end = std::min(tile, tiles(row + rows_at(row))), depth = end - row / kFactorTile;
      push.window = window.views;
      push.first_row = static_cast<uint>(row);
      push.end_tile = static_cast<uint>(end);
      SCROOGE_RETURN_IF_ERROR(device_.run(
          shaders::gram_factor_invert, {}, {window.values, window.rests, own.values, own.rests, state_, panel_, sums_},
          push, {static_cast<uint32_t>(end)}, kTileWork * static_cast<double>(end) * static_cast<double>(depth + 1)));
    }
    return {};
  }

  VulkanDevice& device_;
  const GramFactorParams& params_;
  const Windows windows_;
  const int64_t size_;
  const int64_t step_;  // rows of a window, whole tiles
  const GramFactorScratch parts_;
  Binding strip_, state_, panel_, sums_;
  StepOrder order_;
};

Status VulkanDevice::gram_factor(const GramFactorParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  *params.positive_definite = true;
  if (params.gram.rows == 0) return {};
  const Windows windows(physical());
  SCROOGE_RETURN_IF_ERROR(windows.require_row("gram_factor", params.gram));
  SCROOGE_RETURN_IF_ERROR(require_tile(windows, "gram_factor", params.factor, kFactorTile));
  GramFactorization factorization(*this, params);
  SCROOGE_RETURN_IF_ERROR(factorization.prepare());
  SCROOGE_RETURN_IF_ERROR(factorization.arrange());
  SCROOGE_RETURN_IF_ERROR(factorization.trace());
  SCROOGE_RETURN_IF_ERROR(factorization.factorize());
  SCROOGE_ASSIGN_OR_RETURN(*params.positive_definite, factorization.succeeded());
  return *params.positive_definite ? factorization.invert() : Status();
}

}  // namespace scrooge::backend::vulkan
