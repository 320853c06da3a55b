// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "backends/reference/elements.h"
#include "backends/reference/groups.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::refit_scales(const RefitScalesParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t size = p.w.cols;
  const int64_t length = p.spec.group_length(size);
  for (int64_t n = 0; n < p.w.rows; ++n) {
    const auto level = [&](int64_t k) {  // (codes - zeros), an integer
      return static_cast<double>(load(p.codes, n, k)) - load(p.zeros, n, k / length);
    };
    std::vector<double> e;
    for (int64_t k = 0; k < size; ++k) e.push_back(level(k) * load(p.scales, n, k / length) - load(p.w, n, k));
    for (int64_t g = 0; g < p.scales.cols; ++g) {
      const auto [begin, end] = group_span(g, size, p.spec);
      double slope = 0;      // c_p . (E G)_p
      double curvature = 0;  // c_p G_pp c_p^T
      for (int64_t k = begin; k < end; ++k) {
        for (int64_t i = 0; i < size; ++i) slope += level(k) * e[static_cast<size_t>(i)] * load(p.gram, i, k);
        for (int64_t i = begin; i < end; ++i) curvature += level(k) * level(i) * load(p.gram, i, k);
      }
      const float before = load(p.scales, n, g);
      const float after = refitted_scale(before, slope, curvature, p.spec.scale_dtype);
      store(p.scales, n, g, after);
      for (int64_t k = begin; k < end; ++k) e[static_cast<size_t>(k)] = level(k) * after - load(p.w, n, k);
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
