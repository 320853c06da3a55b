// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::column_stats(const ColumnStatsParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t k = 0; k < p.x.cols; ++k) {
    double sum_abs = 0;
    double sum = 0;
    double max_abs = 0;
    for (int64_t t = 0; t < p.x.rows; ++t) {
      const double x = load(p.x, t, k);
      sum_abs += std::fabs(x);
      sum += x;
      max_abs = std::fmax(max_abs, std::fabs(x));
    }
    if (p.sum_abs) store(p.sum_abs, k, load(p.sum_abs, k) + sum_abs);
    if (p.sum) store(p.sum, k, load(p.sum, k) + sum);
    if (p.max_abs) store(p.max_abs, k, std::fmax(load(p.max_abs, k), max_abs));
  }
  return {};
}

}  // namespace scrooge::backend::reference
