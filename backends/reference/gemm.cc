// SPDX-License-Identifier: Apache-2.0
#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::gemm(const GemmParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t t = 0; t < p.x.rows; ++t) {
    for (int64_t n = 0; n < p.w.rows; ++n) {
      double sum = p.bias ? load(p.bias, n) : 0.0;
      for (int64_t k = 0; k < p.x.cols; ++k) sum += static_cast<double>(load(p.x, t, k)) * load(p.w, n, k);
      if (p.beta != 0) sum += load(p.y, t, n);  // with beta 0, y may hold anything, NaN included
      store(p.y, t, n, sum);
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
