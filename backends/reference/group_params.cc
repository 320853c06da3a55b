// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "backends/reference/elements.h"
#include "backends/reference/groups.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::group_params(const GroupParamsParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  std::vector<float> weights;
  for (int64_t n = 0; n < p.w.rows; ++n) {
    for (int64_t g = 0; g < p.scales.cols; ++g) {
      const auto [begin, end] = group_span(g, p.w.cols, p.spec);
      weights.clear();
      for (int64_t k = begin; k < end; ++k) weights.push_back(load(p.w, n, k));
      const GroupParams params = params_of_group(weights, p.clip, p.rule, p.spec);
      store(p.scales, n, g, params.scale);
      store(p.zeros, n, g, params.zero);
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
