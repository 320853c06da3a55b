// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/quantize_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {

Status CpuDevice::quantize(const QuantizeParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  const int64_t group = p.spec.group_length(k);
  const auto top = static_cast<float>(p.spec.max_code());
  return execution().for_each_row(p.w.rows, k, [&](int64_t n) {
    for (int64_t g = 0; g < p.scales.cols; ++g) {
      const int64_t begin = g * group;
      const GroupParams params{row_of<float>(p.scales, n)[g], row_of<float>(p.zeros, n)[g]};
      quantize_row(row_of<float>(p.w, n) + begin, std::min(group, k - begin), params, top,
                   row_of<uint8_t>(p.codes, n) + begin);
    }
  });
}

}  // namespace scrooge::backend::cpu
