// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/pair_sums.h"
#include "backends/vulkan/shaders/reduce_push.h"
#include "backends/vulkan/vulkan_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {

SCROOGE_VULKAN_SHADER(reduce)

Status VulkanDevice::reduce(const ReduceParams& params) {
  SCROOGE_RETURN_IF_ERROR(validate(params));
  const bool two = params.kind == ReduceParams::Kind::kSumSquaredDiff || params.kind == ReduceParams::Kind::kDot;
  const Windows windows(physical());
  const Matrix& b = two ? params.b : params.a;
  std::vector<HostRange> sums;
  const auto some = [&](const Piece& piece) -> Status {
    const int64_t count = piece.rows * piece.cols;
    const uint32_t parts = groups(count, kReduceElements);
    SCROOGE_ASSIGN_OR_RETURN(HostRange range, commands_.host_range(parts * kPairBytes));
    const Window first = windows.of(params.a, piece), second = windows.of(b, piece);
    const ReducePush push{first.view, second.view, static_cast<uint>(count), static_cast<uint>(piece.cols)};
    SCROOGE_RETURN_IF_ERROR(run(shaders::reduce, {{static_cast<uint32_t>(params.kind)}},
                                {first.binding, second.binding, range.binding()}, push, {parts},
                                static_cast<double>(count)));
    sums.push_back(std::move(range));
    return {};
  };
  if (params.a.rows > 0 && params.a.cols > 0) {
    SCROOGE_RETURN_IF_ERROR(windows.for_each(params.a.rows, params.a.cols, {&params.a, &b}, kReduceElements, some));
  }
  SCROOGE_RETURN_IF_ERROR(commands_.finish());
  double total = 0;
  for (const HostRange& range : sums) {
    total += sum_of_pairs(range, 0, static_cast<int64_t>(range.bytes / kPairBytes));
  }
  *params.result = total;
  return {};
}

}  // namespace scrooge::backend::vulkan
