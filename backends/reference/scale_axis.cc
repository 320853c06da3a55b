// SPDX-License-Identifier: Apache-2.0
#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::scale_axis(const ScaleAxisParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const bool by_column = p.axis == ScaleAxisParams::Axis::kColumns;
  for (int64_t r = 0; r < p.x.rows; ++r) {
    for (int64_t c = 0; c < p.x.cols; ++c) {
      store(p.y, r, c, static_cast<double>(load(p.x, r, c)) * load(p.s, by_column ? c : r));
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
