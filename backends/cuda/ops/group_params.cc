// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/ops/scheme.h"
#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {

Status CudaDevice::group_params(const GroupParamsParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.w.rows == 0 || p.w.cols == 0) return {};
  return run("group_params", {p.w.buffer, p.scales.buffer, p.zeros.buffer}, [&](Work& work) -> Status {
    SCROOGE_ASSIGN_OR_RETURN(const Scheme scheme, scheme_of(p.spec, p.w.cols));
    const GroupParamsArguments arguments{view<const float>(p.w), view<float>(p.scales), view<float>(p.zeros), scheme,
                                         clip_of(p.clip, p.rule)};
    constexpr int64_t kWarps = 8;  // of a block, a group each
    return work.launch({"group_params", "scrooge_group_params"},
                       {32 * kWarps, ceil_div(p.w.rows * scheme.groups, kWarps)}, arguments);
  });
}

}  // namespace scrooge::backend::cuda
