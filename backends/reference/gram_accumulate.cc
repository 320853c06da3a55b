// SPDX-License-Identifier: Apache-2.0
#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::gram_accumulate(const GramAccumulateParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t m = 0; m < p.gram.rows; ++m) {
    for (int64_t k = p.symmetric ? m : 0; k < p.gram.cols; ++k) {
      double sum = load(p.gram, m, k);
      for (int64_t t = 0; t < p.a.rows; ++t) sum += static_cast<double>(load(p.a, t, m)) * load(p.b, t, k);
      store(p.gram, m, k, sum);
      if (p.mirror) store(p.gram, k, m, sum);
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
