// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/quantize.h"

namespace scrooge::backend::cuda {

struct ClipSearchArguments {
  MatrixView<const float> w;  // rows of this piece
  MatrixView<const float> gram;
  MatrixView<float> scales, zeros, error;
  VectorView<const Clip> candidates;
  MatrixView<float> losses;  // scratch: [row * candidates + candidate][group]
  Scheme scheme;
};

}  // namespace scrooge::backend::cuda
