// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::reduce(const ReduceParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  double total = 0;
  for (int64_t r = 0; r < p.a.rows; ++r) {
    for (int64_t c = 0; c < p.a.cols; ++c) {
      const double a = load(p.a, r, c);
      switch (p.kind) {
        case ReduceParams::Kind::kCountNonFinite: total += std::isfinite(a) ? 0 : 1; break;
        case ReduceParams::Kind::kSumSquares: total += a * a; break;
        case ReduceParams::Kind::kDot: total += a * load(p.b, r, c); break;
        case ReduceParams::Kind::kSumSquaredDiff: total += (a - load(p.b, r, c)) * (a - load(p.b, r, c)); break;
      }
    }
  }
  *p.result = total;
  return {};
}

}  // namespace scrooge::backend::reference
