// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {

Status CpuDevice::add(const AddParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  return execution().for_each_row(p.x.rows, p.x.cols, [&](int64_t r) {
    add_scaled_row(row_of<float>(p.x, r), p.alpha, row_of<float>(p.y, r), p.x.cols);
  });
}

}  // namespace scrooge::backend::cpu
