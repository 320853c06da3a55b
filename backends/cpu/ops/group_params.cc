// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/quantize_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {

Status CpuDevice::group_params(const GroupParamsParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  const int64_t group = p.spec.group_length(k);
  return execution().for_each_row(p.w.rows, k, [&](int64_t n) {
    for (int64_t g = 0; g < p.scales.cols; ++g) {
      const int64_t begin = g * group;
      const ValueRange range = row_range(row_of<float>(p.w, n) + begin, std::min(group, k - begin));
      const ValueRange clipped = clipped_range(range, p.clip, p.rule);
      const GroupParams params = params_from_range(clipped.low, clipped.high, p.spec);
      row_of<float>(p.scales, n)[g] = params.scale;
      row_of<float>(p.zeros, n)[g] = params.zero;
    }
  });
}

}  // namespace scrooge::backend::cpu
