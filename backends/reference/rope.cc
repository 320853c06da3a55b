// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::rope(const RopeParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t half = p.inv_freq.size;
  for (int64_t t = 0; t < p.x.rows; ++t) {
    const auto position = static_cast<double>(t % p.sequence_length);
    for (int64_t head = 0; head < p.x.cols; head += p.head_width) {
      for (int64_t i = 0; i < half; ++i) {
        const double angle = position * load(p.inv_freq, i);
        const double x = load(p.x, t, head + i);
        const double y = load(p.x, t, head + i + half);
        store(p.x, t, head + i, (x * std::cos(angle) - y * std::sin(angle)) * p.magnitude);
        store(p.x, t, head + i + half, (y * std::cos(angle) + x * std::sin(angle)) * p.magnitude);
      }
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
