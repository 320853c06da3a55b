// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "backends/vulkan/group_lanes.h"
#include "backends/vulkan/quant_constants.h"
#include "backends/vulkan/shaders/group_params_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(group_params)

Result<HostRange> VulkanDevice::clip_ratios(std::span<const ClipCandidate> candidates) {
  static_assert(sizeof(ClipCandidate) == 8);  // low, high
  SCROOGE_ASSIGN_OR_RETURN(HostRange ratios, commands_.host_range(candidates.size_bytes()));
  std::memcpy(ratios.data(), candidates.data(), candidates.size_bytes());
  return ratios;
}

Status VulkanDevice::run_group_params(const Matrix& w, const QuantSpec& spec, ClipRule rule, const HostRange& ratios,
                                      int64_t candidates, const Window& scales, const Window& zeros) {
  const Window weights = Windows(physical()).of(w);
  const int64_t length = spec.group_length(w.cols), count = spec.groups(w.cols);
  const uint32_t lanes = lanes_for(length, count);
  const GroupParamsPush push{weights.view,
                             scales.view,
                             zeros.view,
                             static_cast<uint>(w.cols),
                             static_cast<uint>(count),
                             static_cast<uint>(length),
                             static_cast<uint>(candidates),
                             rule == ClipRule::kAbsMax};
  return run(shaders::group_params, quant_constants(spec, {lanes}),
             {weights.binding, ratios.binding(), scales.binding, zeros.binding}, push,
             {groups(count, kInvocations / lanes), static_cast<uint32_t>(w.rows)},
             static_cast<double>(w.rows) * static_cast<double>(w.cols + 10 * candidates * count));
}

Status VulkanDevice::group_params(const GroupParamsParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  if (params.w.rows == 0 || params.w.cols == 0) return {};
  const Windows windows(physical());
  SCROOGE_ASSIGN_OR_RETURN(const HostRange ratios, clip_ratios({&params.clip, 1}));
  return windows.for_rows("group_params", params.w.rows, {&params.w, &params.scales, &params.zeros}, kMostGroups,
                          [&](int64_t first, int64_t count) {
                            return run_group_params(params.w.row_range(first, count), params.spec, params.rule, ratios,
                                                    1, windows.of(params.scales.row_range(first, count)),
                                                    windows.of(params.zeros.row_range(first, count)));
                          });
}

}  // namespace scrooge::backend::vulkan
