// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::normalize(const NormalizeParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t t = 0; t < p.x.rows; ++t) {
    double squares = 0;
    for (int64_t k = 0; k < p.x.cols; ++k) squares += static_cast<double>(load(p.x, t, k)) * load(p.x, t, k);
    const double root = std::sqrt(squares / static_cast<double>(p.x.cols) + p.epsilon);
    for (int64_t k = 0; k < p.x.cols; ++k) store(p.y, t, k, load(p.x, t, k) / root * load(p.gamma, k));
  }
  return {};
}

}  // namespace scrooge::backend::reference
