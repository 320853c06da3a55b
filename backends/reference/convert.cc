// SPDX-License-Identifier: Apache-2.0
#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::convert(const ConvertParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t r = 0; r < p.from.rows; ++r) {
    for (int64_t c = 0; c < p.from.cols; ++c) store(p.to, r, c, load(p.from, r, c));
  }
  return {};
}

}  // namespace scrooge::backend::reference
