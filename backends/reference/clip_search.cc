// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "backends/reference/elements.h"
#include "backends/reference/groups.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::clip_search(const ClipSearchParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  std::vector<float> weights;
  std::vector<double> e;
  for (int64_t n = 0; n < p.w.rows; ++n) {
    for (int64_t g = 0; g < p.scales.cols; ++g) {
      const auto [begin, end] = group_span(g, p.w.cols, p.spec);
      weights.clear();
      for (int64_t k = begin; k < end; ++k) weights.push_back(load(p.w, n, k));
      GroupParams best;
      double least = 0;
      for (size_t r = 0; r < p.candidates.size(); ++r) {
        const GroupParams params = params_of_group(weights, p.candidates[r], p.rule, p.spec);
        e.clear();
        for (const float w : weights) e.push_back(static_cast<double>(fake_quantize(w, params, p.spec)) - w);
        double loss = 0;
        for (size_t i = 0; i < e.size(); ++i) {
          const int64_t row = begin + static_cast<int64_t>(i);
          for (size_t j = 0; j < e.size(); ++j)
            loss += e[i] * e[j] * load(p.gram, row, begin + static_cast<int64_t>(j));
        }
        if (r == 0 || loss < least) {
          best = params;
          least = loss;
        }
      }
      store(p.scales, n, g, best.scale);
      store(p.zeros, n, g, best.zero);
      store(p.error, n, g, least);
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
