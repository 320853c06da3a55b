// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {

Status CpuDevice::scale_axis(const ScaleAxisParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const bool columns = p.axis == ScaleAxisParams::Axis::kColumns;
  return execution().for_each_row(p.x.rows, p.x.cols, [&](int64_t r) {
    const float* s = data_of<float>(p.s);
    if (columns) {
      multiply_row(row_of<float>(p.x, r), s, row_of<float>(p.y, r), p.x.cols);
    } else {
      scale_row(row_of<float>(p.x, r), s[r], row_of<float>(p.y, r), p.x.cols);
    }
  });
}

}  // namespace scrooge::backend::cpu
