// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/quantize.h"

namespace scrooge::backend::cuda {

// Steps rounded one by one before their errors are spread over all later steps.
inline constexpr int kGptqSteps = 64;

struct GptqArguments {
  MatrixView<const float> w, scales, zeros;  // rows of this piece
  MatrixView<const float> factor;
  MatrixView<Code> codes;
  VectorView<const int32_t> order;
  MatrixView<float> by_step;  // scratch: w in the order of the steps
  MatrixView<float> error;    // scratch: of the steps of this panel, [row][step - begin]
  Scheme scheme;
  int32_t begin, end;  // steps of this panel
};

}  // namespace scrooge::backend::cuda
