// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/quantize.h"

namespace scrooge::backend::cuda {

// Codes and what they stand for; rows of one piece.
struct CodeError {
  MatrixView<const float> w, scales, zeros;
  MatrixView<const Code> codes;
  Scheme scheme;
};

// slopes = E G.
struct CodeSlopesArguments {
  CodeError error;
  MatrixView<const float> gram;
  MatrixView<float> slopes;
};

}  // namespace scrooge::backend::cuda
