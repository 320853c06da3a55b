// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "backends/reference/elements.h"
#include "backends/reference/groups.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::scale_search_loss(const ScaleSearchLossParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t columns = p.w.cols;
  std::vector<double> d(static_cast<size_t>(columns));
  std::vector<float> scaled;
  for (int64_t candidate = 0; candidate < p.candidates.rows; ++candidate) {
    double loss = 0;
    for (int64_t n = 0; n < p.w.rows; ++n) {
      for (int64_t g = 0; g < p.spec.groups(columns); ++g) {
        const auto [begin, end] = group_span(g, columns, p.spec);
        scaled.clear();
        for (int64_t k = begin; k < end; ++k) scaled.push_back(load(p.w, n, k) * load(p.candidates, candidate, k));
        const GroupParams params = params_of_group(scaled, {}, ClipRule::kEnds, p.spec);
        for (int64_t k = begin; k < end; ++k) {
          const double rounded = fake_quantize(scaled[static_cast<size_t>(k - begin)], params, p.spec);
          d[static_cast<size_t>(k)] = rounded / load(p.candidates, candidate, k) - load(p.w, n, k);
        }
      }
      double row = 0;
      for (int64_t i = 0; i < columns; ++i) {
        double product = 0;
        for (int64_t j = 0; j < columns; ++j) product += load(p.gram, i, j) * d[static_cast<size_t>(j)];
        row += d[static_cast<size_t>(i)] * product;
      }
      loss += p.row_weight ? row * load(p.row_weight, n) : row;
    }
    p.loss[static_cast<size_t>(candidate)] = loss;
  }
  return {};
}

}  // namespace scrooge::backend::reference
