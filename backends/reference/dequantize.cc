// SPDX-License-Identifier: Apache-2.0
#include "backends/reference/elements.h"
#include "backends/reference/groups.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::dequantize(const DequantizeParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t n = 0; n < p.w.rows; ++n) {
    for (int64_t g = 0; g < p.scales.cols; ++g) {
      const auto [begin, end] = group_span(g, p.w.cols, p.spec);
      const GroupParams params{load(p.scales, n, g), load(p.zeros, n, g)};
      for (int64_t k = begin; k < end; ++k) store(p.w, n, k, dequantize_value(load(p.codes, n, k), params));
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
