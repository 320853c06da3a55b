// SPDX-License-Identifier: Apache-2.0
// Rows or columns of a matrix in the order of steps, which gram_factor, gram_solve and gptq work in.
#include <cstring>

#include "backends/vulkan/shaders/element_push.h"
#include "backends/vulkan/shaders/gather_push.h"
#include "backends/vulkan/vulkan_device.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(gather)

Status VulkanDevice::gather(Gather how, const Window& from, const Window& to, int64_t rows, int64_t cols,
                            const Binding& order, int64_t first) {
  const GatherPush push{from.view, to.view, static_cast<uint>(rows), static_cast<uint>(cols), static_cast<uint>(first)};
  return run(shaders::gather, {{how == Gather::kRows, how == Gather::kCols}}, {from.binding, order, to.binding}, push,
             {groups(cols, kElementCols), groups(rows, kElementRows)},
             static_cast<double>(rows) * static_cast<double>(cols));
}

Result<StepOrder> VulkanDevice::step_order(std::span<const int32_t> order) {
  StepOrder steps;
  SCROOGE_ASSIGN_OR_RETURN(steps.channel_of, commands_.host_range(order.size_bytes()));
  SCROOGE_ASSIGN_OR_RETURN(steps.step_of, commands_.host_range(order.size_bytes()));
  std::memcpy(steps.channel_of.data(), order.data(), order.size_bytes());
  for (uint32_t step = 0; step < order.size(); ++step) {
    std::memcpy(steps.step_of.data() + static_cast<size_t>(order[step]) * sizeof(step), &step, sizeof(step));
  }
  return steps;
}

}  // namespace scrooge::backend::vulkan
