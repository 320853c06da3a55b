// SPDX-License-Identifier: Apache-2.0
// With H reversed in the order of the steps and L its Cholesky factor, u_j is row (K - 1 - j) of L^-1, read backwards.
// Tiles of 32 by 32 in double_float numbers, which by_step (values) and by_channel (remainders) hold together: H and
// then L below the diagonal, the transposed inverse above it and on it. Of gram, which may be by_step, the upper
// triangle is thus there until the factorization is known to have succeeded. Tile columns of L one after the other,
// left-looking, with a workgroup for each tile; then tile columns of the transposed inverse likewise; then both outputs
// by what is above.
#include <cstring>

#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"
#include "backends/vulkan/shaders/gram_factor_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(gram_factor_arrange)
SCROOGE_VULKAN_SHADER(gram_factor_trace)
SCROOGE_VULKAN_SHADER(gram_factor_tile)
SCROOGE_VULKAN_SHADER(gram_factor_diagonal)
SCROOGE_VULKAN_SHADER(gram_factor_unit)
SCROOGE_VULKAN_SHADER(gram_factor_scatter)

class GramFactorization {
 public:
  GramFactorization(VulkanDevice& device, const GramFactorParams& params)
      : device_(device), params_(params), windows_(device.physical()), size_(params.gram.rows) {
    step_ = size_;
    for (const Matrix* m : {&params.gram, &params.by_step, &params.by_channel}) {
      step_ = std::min(step_, whole_tiles(windows_, *m, kFactorTile));
    }
  }

  Status prepare() {
    const uint64_t bytes = gram_factor_scratch(size_);
    SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, device_.scratch(bytes));
    state_ = {memory, 0, bytes};
    SCROOGE_ASSIGN_OR_RETURN(order_, device_.commands_.host_range(params_.order.size_bytes()));
    std::memcpy(order_.data(), params_.order.data(), params_.order.size_bytes());
    return {};
  }

  // The reversed H in the lower triangle of by_channel, its trace and what damping adds in the scratch.
  Status arrange() {
    const double factor = params_.damping / static_cast<double>(size_);
    for (int64_t row = 0; row < size_; row += step_) {
      SCROOGE_RETURN_IF_ERROR(move_rows(params_.gram, params_.by_channel, row, true));
    }
    for (int64_t row = 0; row < size_; row += step_) {
      const Window from = rows_of(params_.by_channel, row);
      FactorMovePush push = move_push(from, {}, row, 0);
      push.factor = static_cast<float>(factor);
      push.factor_rest = static_cast<float>(factor - static_cast<double>(push.factor));
      SCROOGE_RETURN_IF_ERROR(device_.run(shaders::gram_factor_trace, {}, {from.binding, state_}, push, {},
                                          static_cast<double>(push.rows)));
    }
    return {};
  }

  Status factorize() {
    for (int64_t tile = 0; tile < tiles(size_); ++tile) {
      SCROOGE_RETURN_IF_ERROR(for_windows(tile, tiles(size_), tile, 0));
      FactorTilePush push{};
      push.size = static_cast<uint>(size_);
      push.fixed_tile = static_cast<uint>(tile);
      SCROOGE_RETURN_IF_ERROR(device_.run(shaders::gram_factor_diagonal, {}, {state_}, push, {}, kTileWork));
      SCROOGE_RETURN_IF_ERROR(for_windows(tile + 1, tiles(size_), tile, 1));
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
    for (int64_t row = 0; row < size_; row += step_) {
      const Window by_step = rows_of(params_.by_step, row), by_channel = rows_of(params_.by_channel, row);
      const FactorTilePush push = tile_push(by_step, by_channel, row, row / kFactorTile);
      SCROOGE_RETURN_IF_ERROR(device_.run(shaders::gram_factor_unit, {}, {by_step.binding, by_channel.binding, state_},
                                          push, {groups(rows_at(row), kFactorTile)},
                                          static_cast<double>(rows_at(row))));
    }
    for (int64_t tile = 1; tile < tiles(size_); ++tile) SCROOGE_RETURN_IF_ERROR(for_windows(0, tile, tile, 2));
    return {};
  }

  Status write_outputs() {
    for (int64_t row = 0; row < size_; row += step_) {
      SCROOGE_RETURN_IF_ERROR(move_rows(params_.by_step, params_.by_channel, row, false));
    }
    return device_.transpose(params_.by_channel, params_.by_step, false);
  }

 private:
  static constexpr double kTileWork = 32.0 * 32 * 32;  // multiplications of a tile by a tile

  static int64_t tiles(int64_t rows) { return groups(rows, kFactorTile); }
  int64_t rows_at(int64_t first) const { return std::min(step_, size_ - first); }
  Window rows_of(const Matrix& m, int64_t first) const { return windows_.of(m.row_range(first, rows_at(first))); }

  FactorMovePush move_push(const Window& from, const Window& to, int64_t first, int64_t other_first) const {
    return {from.view,
            to.view,
            static_cast<uint>(size_),
            static_cast<uint>(first),
            static_cast<uint>(rows_at(first)),
            static_cast<uint>(other_first),
            static_cast<uint>(rows_at(other_first)),
            0,
            0};
  }

  FactorTilePush tile_push(const Window& by_step, const Window& by_channel, int64_t first_row,
                           int64_t first_tile) const {
    FactorTilePush push{};
    push.step = by_step.view;
    push.channel = by_channel.view;
    push.size = static_cast<uint>(size_);
    push.first_row = static_cast<uint>(first_row);
    push.first_tile = static_cast<uint>(first_tile);
    return push;
  }

  // Rows [row, ...) of `to` from all rows of `from` that go there (gather), or rows [row, ...) of `from` to wherever in
  // `to` they go.
  Status move_rows(const Matrix& from, const Matrix& to, int64_t row, bool gather) {
    for (int64_t other = 0; other < size_; other += step_) {
      const Window source = rows_of(from, gather ? other : row), target = rows_of(to, gather ? row : other);
      const Grid grid{groups(size_, 64), groups(rows_at(row), 4)};  // as the shaders say
      SCROOGE_RETURN_IF_ERROR(device_.run(gather ? shaders::gram_factor_arrange : shaders::gram_factor_scatter, {},
                                          {source.binding, order_.binding(), target.binding},
                                          move_push(source, target, row, other), grid,
                                          static_cast<double>(rows_at(row)) * static_cast<double>(size_)));
    }
    return {};
  }

  // Row tiles [first, end) of the column tile `fixed`, window by window.
  Status for_windows(int64_t first, int64_t end, int64_t fixed, uint32_t stage) {
    const int64_t fixed_row = fixed * kFactorTile, fixed_rows = std::min(kFactorTile, size_ - fixed_row);
    const Window fixed_step = windows_.of(params_.by_step.row_range(fixed_row, fixed_rows));
    const Window fixed_channel = windows_.of(params_.by_channel.row_range(fixed_row, fixed_rows));
    while (first < end) {
      const int64_t row = first * kFactorTile / step_ * step_;
      const int64_t last = std::min(end, tiles(row + rows_at(row)));
      const Window by_step = rows_of(params_.by_step, row), by_channel = rows_of(params_.by_channel, row);
      FactorTilePush push = tile_push(by_step, by_channel, row, first);
      push.fixed_step = fixed_step.view;
      push.fixed_channel = fixed_channel.view;
      push.fixed_tile = static_cast<uint>(fixed);
      SCROOGE_RETURN_IF_ERROR(device_.run(
          shaders::gram_factor_tile, {{stage}},
          {by_step.binding, by_channel.binding, fixed_step.binding, fixed_channel.binding, state_}, push,
          {static_cast<uint32_t>(last - first)},
          static_cast<double>(last - first) * kTileWork * (stage == 1 ? 1.0 : static_cast<double>(fixed + 1))));
      first = last;
    }
    return {};
  }

  VulkanDevice& device_;
  const GramFactorParams& params_;
  const Windows windows_;
  const int64_t size_;
  int64_t step_ = 0;  // rows of a window, whole tiles
  Binding state_;
  HostRange order_;
};

Status VulkanDevice::gram_factor(const GramFactorParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  *params.positive_definite = true;
  if (params.gram.rows == 0) return {};
  const Windows windows(physical());
  for (const Matrix* m : {&params.gram, &params.by_step, &params.by_channel}) {
    SCROOGE_RETURN_IF_ERROR(require_tile(windows, "gram_factor", *m, kFactorTile));
  }
  GramFactorization factorization(*this, params);
  SCROOGE_RETURN_IF_ERROR(factorization.prepare());
  SCROOGE_RETURN_IF_ERROR(factorization.arrange());
  SCROOGE_RETURN_IF_ERROR(factorization.factorize());
  SCROOGE_ASSIGN_OR_RETURN(*params.positive_definite, factorization.succeeded());
  if (!*params.positive_definite) return {};
  SCROOGE_RETURN_IF_ERROR(factorization.invert());
  return factorization.write_outputs();
}

}  // namespace scrooge::backend::vulkan
