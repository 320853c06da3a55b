// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"
#include "src/tensor/quantize_math.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::refine_codes(const RefineCodesParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t size = p.w.cols;
  const int64_t length = p.spec.group_length(size);
  const auto top = static_cast<float>(p.spec.max_code());
  std::vector<double> slopes(static_cast<size_t>(size));  // E G
  for (int64_t n = 0; n < p.w.rows; ++n) {
    const auto scale = [&](int64_t k) { return load(p.scales, n, k / length); };
    std::fill(slopes.begin(), slopes.end(), 0.0);
    for (int64_t k = 0; k < size; ++k) {
      const double e =
          (static_cast<double>(load(p.codes, n, k)) - load(p.zeros, n, k / length)) * scale(k) - load(p.w, n, k);
      for (int64_t i = 0; i < size; ++i) slopes[static_cast<size_t>(i)] += e * load(p.gram, k, i);
    }
    bool moved = true;
    for (int sweep = 0; sweep < p.sweeps && moved; ++sweep) {
      moved = false;
      for (int64_t k = 0; k < size; ++k) {
        const float before = load(p.codes, n, k);
        const float after =
            refined_code(before, scale(k), static_cast<float>(slopes[static_cast<size_t>(k)]), load(p.gram, k, k), top);
        if (after == before) continue;
        moved = true;
        store(p.codes, n, k, after);
        const double change = static_cast<double>(after - before) * scale(k);
        for (int64_t i = 0; i < size; ++i) slopes[static_cast<size_t>(i)] += change * load(p.gram, k, i);
      }
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
