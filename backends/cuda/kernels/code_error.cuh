// SPDX-License-Identifier: Apache-2.0
// E = (codes - zeros) * scales - w, element by element as it is read.
#pragma once

#include "backends/cuda/kernels/code_error.h"
#include "backends/cuda/kernels/quantize.cuh"

namespace scrooge::backend::cuda {

__device__ __forceinline__ float code_error(const CodeError& of, int64_t row, int column) {
  const int group = column / of.scheme.group;
  const GroupScale params{of.scales.row(row)[group], of.zeros.row(row)[group]};
  const float code = static_cast<float>(of.codes.row(row)[column]);
  return __fsub_rn(dequantize_value(code, params), of.w.row(row)[column]);
}

}  // namespace scrooge::backend::cuda
