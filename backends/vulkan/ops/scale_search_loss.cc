// SPDX-License-Identifier: Apache-2.0
// For some rows of w at a time and each candidate: the errors of rounding, their quadratic form, and its sum over rows.
#include <bit>

#include "backends/vulkan/group_lanes.h"
#include "backends/vulkan/pair_sums.h"
#include "backends/vulkan/quadratic_form.h"
#include "backends/vulkan/quant_constants.h"
#include "backends/vulkan/shaders/quadratic_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(scale_search_error)

namespace {

// The sums of one part of the rows, for every candidate.
struct SearchSums {
  HostRange range;
  int64_t each;  // a candidate
};

}  // namespace

Status VulkanDevice::scale_search_error(const Matrix& w, const Vector& candidate, const QuantSpec& spec,
                                        const Window& error) {
  const Windows windows(physical());
  const Window weights = windows.of(w), scales = windows.of(candidate);
  const int64_t length = spec.group_length(w.cols), count = spec.groups(w.cols);
  const bool fours = length >= 8 && length <= 4 * int64_t{kInvocations} &&
                     std::has_single_bit(static_cast<uint64_t>(length)) && vectors(weights, w.cols) &&
                     vectors(scales, w.cols) && vectors(error, w.cols) && w.cols % length == 0;
  const uint32_t lanes = fours ? static_cast<uint32_t>(length / 4) : lanes_for(length, count);
  const uint32_t groups_at_once = kInvocations / lanes;
  const ScaleSearchErrorPush push{weights.view,
                                  scales.view,
                                  error.view,
                                  static_cast<uint>(w.cols),
                                  static_cast<uint>(count),
                                  static_cast<uint>(length),
                                  lanes,
                                  static_cast<uint>(w.rows)};
  const Grid grid = fours ? Grid{groups(w.rows * count, groups_at_once)}
                          : Grid{groups(count, groups_at_once), static_cast<uint32_t>(w.rows)};
  return run(shaders::scale_search_error, quant_constants(spec, {fours}),
             {weights.binding, scales.binding, error.binding}, push, grid, static_cast<double>(w.rows * w.cols));
}

Status VulkanDevice::scale_search_loss(const ScaleSearchLossParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  if (params.w.rows == 0 || params.w.cols == 0) {
    std::ranges::fill(params.loss, 0.0);
    return {};
  }
  const Windows windows(physical());
  SCROOGE_RETURN_IF_ERROR(require_tile(windows, "scale_search_loss", params.gram, ProductTile::kCols));
  const QuadraticForm form(physical(), params.gram);
  const int64_t candidates = params.candidates.rows, stride = (params.w.cols + 3) / 4 * 4;
  std::vector<SearchSums> all;
  const auto some = [&](int64_t row, int64_t rows) -> Status {
    const uint64_t error_bytes = scratch_part(rows * stride);
    SCROOGE_ASSIGN_OR_RETURN(Memory* const memory, scratch(error_bytes + form.part_bytes(rows)));
    const Binding parts{memory, error_bytes, form.part_bytes(rows)};
    const int64_t each = groups(rows, kQuadraticSumRows);
    SCROOGE_ASSIGN_OR_RETURN(const HostRange sums,
                             commands_.host_range(static_cast<uint64_t>(candidates * each) * kPairBytes));
    const Matrix w = params.w.row_range(row, rows);
    Vector weights = params.row_weight;
    weights.offset += static_cast<uint64_t>(row) * sizeof(float);
    weights.size = rows;
    for (int64_t c = 0; c < candidates; ++c) {
      const Matrix candidate = params.candidates.row_range(c, 1);
      const Window error{{memory, 0, error_bytes}, {0, static_cast<uint>(stride)}};
      SCROOGE_RETURN_IF_ERROR(scale_search_error(
          w, {candidate.buffer, candidate.offset, candidate.cols, candidate.dtype}, params.spec, error));
      SCROOGE_RETURN_IF_ERROR(quadratic_parts(form, params.gram, rows, error, nullptr, parts));
      SCROOGE_RETURN_IF_ERROR(quadratic_sums(form, rows, weights, true, parts, sums.binding(), c * each));
    }
    all.push_back({sums, each});
    return {};
  };
  SCROOGE_RETURN_IF_ERROR(windows.for_rows("scale_search_loss", params.w.rows, {&params.w}, form.rows, some));
  SCROOGE_RETURN_IF_ERROR(commands_.finish());
  for (size_t c = 0; c < params.loss.size(); ++c) {
    double sum = 0;
    for (const SearchSums& part : all) sum += sum_of_pairs(part.range, static_cast<int64_t>(c) * part.each, part.each);
    params.loss[c] = sum;
  }
  return {};
}

}  // namespace scrooge::backend::vulkan
