// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/half.cuh"
#include "backends/cuda/kernels/quadratic_form.h"

namespace scrooge::backend::cuda {

__device__ __forceinline__ void put_error(const Errors& to, int64_t row, int64_t column, float error) {
  to.values.row(row)[column] = error;
  if (to.rounded.address != 0) to.rounded.row(row)[column] = float_to_bf16(error);
}

}  // namespace scrooge::backend::cuda
