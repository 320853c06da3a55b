// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {

Status CpuDevice::normalize(const NormalizeParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.x.cols;
  return execution().for_each_row(p.x.rows, k, [&](int64_t t) {
    const float* x = row_of<float>(p.x, t);
    const double mean = dot_f64(x, x, k) / static_cast<double>(k);
    const auto factor = static_cast<float>(1.0 / std::sqrt(mean + static_cast<double>(p.epsilon)));
    normalize_row(x, factor, data_of<float>(p.gamma), row_of<float>(p.y, t), k);
  });
}

}  // namespace scrooge::backend::cpu
