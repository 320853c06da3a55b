// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/quantize.h"

namespace scrooge::backend::cuda {

struct RefineCodesArguments {
  MatrixView<const float> scales, gram;
  MatrixView<Code> codes;
  MatrixView<float> slopes;  // scratch: E G of the codes as they are; follows them
  Scheme scheme;
  int32_t sweeps;
  int32_t shared_slopes;  // 1 where a row of slopes fits into shared memory
};

}  // namespace scrooge::backend::cuda
