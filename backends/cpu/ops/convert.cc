// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/convert_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {

Status CpuDevice::convert(const ConvertParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t from_size = dtype_size(p.from.dtype);
  const int64_t to_size = dtype_size(p.to.dtype);
  return execution().for_each_row(p.from.rows, p.from.cols, [&](int64_t r) {
    convert_row(p.from.buffer->host_data() + p.from.offset + r * p.from.stride * from_size, p.from.dtype,
                p.to.buffer->host_data() + p.to.offset + r * p.to.stride * to_size, p.to.dtype, p.from.cols);
  });
}

}  // namespace scrooge::backend::cpu
