// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {

Status CpuDevice::gate(const GateParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  return execution().for_each_row(p.a.rows, p.a.cols, [&](int64_t t) {
    gate_row(p.activation, row_of<float>(p.a, t), row_of<float>(p.b, t), row_of<float>(p.y, t), p.a.cols);
  });
}

}  // namespace scrooge::backend::cpu
