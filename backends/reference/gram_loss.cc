// SPDX-License-Identifier: Apache-2.0
#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::gram_loss(const GramLossParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t n = 0; n < p.a.rows; ++n) {
    double loss = 0;
    for (int64_t i = 0; i < p.a.cols; ++i) {
      const double e = static_cast<double>(load(p.a, n, i)) - load(p.b, n, i);
      double product = 0;
      for (int64_t j = 0; j < p.a.cols; ++j) {
        product += load(p.gram, i, j) * (static_cast<double>(load(p.a, n, j)) - load(p.b, n, j));
      }
      loss += e * product;
    }
    p.loss[static_cast<size_t>(n)] = loss;
  }
  return {};
}

}  // namespace scrooge::backend::reference
