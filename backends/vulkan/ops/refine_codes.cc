// SPDX-License-Identifier: Apache-2.0
// Tiles of rows, whose slopes E G come from one product; then sweep after sweep, each over the windows of G.
#include <algorithm>
#include <cstring>

#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/product.h"
#include "backends/vulkan/shaders/refine_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(refine_slopes)
SCROOGE_VULKAN_SHADER(refine_sweep)

namespace {

constexpr int kUnwatchedSweeps = 4;  // before the host asks whether anything still moves

}  // namespace

Status VulkanDevice::refine_rows(const RefineCodesParams& params, int64_t first, int64_t rows, const Binding& slopes) {
  const Windows windows(physical());
  const int64_t k = params.w.cols;
  const Window w = windows.of(params.w.row_range(first, rows)), codes = windows.of(params.codes.row_range(first, rows));
  const Window scales = windows.of(params.scales.row_range(first, rows));
  const Window zeros = windows.of(params.zeros.row_range(first, rows));
  SCROOGE_ASSIGN_OR_RETURN(const HostRange moved, commands_.host_range(sizeof(uint32_t) * static_cast<uint64_t>(rows)));
  std::memset(moved.data(), 0, moved.bytes);
  RefinePush push{w.view,
                  codes.view,
                  scales.view,
                  zeros.view,
                  {},
                  static_cast<uint>(rows),
                  static_cast<uint>(k),
                  static_cast<uint>(params.spec.group_length(k)),
                  0,
                  0,
                  0};
  const auto for_windows = [&](const auto& use) {
    return windows.for_rows("refine_codes", k, {&params.gram}, k, [&](int64_t channel, int64_t count) -> Status {
      const Window gram = windows.of(params.gram.row_range(channel, count));
      push.gram = gram.view;
      push.first = static_cast<uint>(channel);
      push.count = static_cast<uint>(count);
      return use(gram, count);
    });
  };
  const ProductTile tile = product_tile(physical());
  SCROOGE_RETURN_IF_ERROR(for_windows([&](const Window& gram, int64_t count) {
    return run(shaders::refine_slopes, {{tile.quads, 0, vectors(gram, k)}},
               {w.binding, codes.binding, scales.binding, zeros.binding, gram.binding, slopes}, push,
               {groups(count, ProductTile::kCols), groups(rows, tile.rows())},
               2.0 * static_cast<double>(rows * count) * static_cast<double>(k));
  }));
  for (int sweep = 1; sweep <= params.sweeps; ++sweep) {
    push.sweep = static_cast<uint>(sweep);
    SCROOGE_RETURN_IF_ERROR(for_windows([&](const Window& gram, int64_t count) {
      // The work is a guess, that every twentieth code moves; the speed that is measured makes up for it.
      // The first sweep, in which most codes move, is a Kernel of its own, which the shader knows nothing of: later
      // ones leave rows early, and would make it look fast.
      return run(shaders::refine_sweep, {{static_cast<uint32_t>(params.spec.max_code()), sweep == 1}},
                 {codes.binding, scales.binding, gram.binding, slopes, moved.binding()}, push,
                 {static_cast<uint32_t>(rows)}, static_cast<double>(rows * count) * (64 + static_cast<double>(k) / 10));
    }));
    if (sweep % kUnwatchedSweeps != 0 || sweep == params.sweeps) continue;
    SCROOGE_RETURN_IF_ERROR(commands_.finish());
    const auto* const last = reinterpret_cast<const uint32_t*>(moved.data());
    if (std::all_of(last, last + rows, [&](uint32_t at) { return at < push.sweep; })) break;
  }
  return {};
}

Status VulkanDevice::refine_codes(const RefineCodesParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const int64_t k = params.w.cols;
  if (params.w.rows == 0 || k == 0) return {};
  const int64_t most = std::min(scratch_rows(k, params.w.rows), kMostGroups);
  const uint64_t bytes = scratch_part(most * k);
  SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, scratch(bytes));
  return Windows(physical())
      .for_rows("refine_codes", params.w.rows, {&params.w, &params.codes, &params.scales, &params.zeros}, most,
                [&](int64_t first, int64_t rows) {
                  return refine_rows(params, first, rows, {memory, 0, bytes});
                });
}

}  // namespace scrooge::backend::vulkan
