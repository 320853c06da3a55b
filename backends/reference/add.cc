// SPDX-License-Identifier: Apache-2.0
#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::add(const AddParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t r = 0; r < p.x.rows; ++r) {
    for (int64_t c = 0; c < p.x.cols; ++c) {
      store(p.y, r, c, load(p.y, r, c) + static_cast<double>(p.alpha) * load(p.x, r, c));
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
