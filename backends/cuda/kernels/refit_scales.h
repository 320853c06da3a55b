// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/code_error.h"

namespace scrooge::backend::cuda {

struct RefitScalesArguments {
  CodeError error;  // its scales are those written through `scales`
  MatrixView<const float> gram;
  MatrixView<float> scales;
  MatrixView<float> slopes;     // scratch: E G, as far as later groups need it
  MatrixView<float> curvature;  // scratch: c_p G_pp c_p^T, [row][group]
  MatrixView<float> moved;      // scratch: how the errors of this group changed, [row][column of the group]
  int32_t group;                // the one that moves
};

}  // namespace scrooge::backend::cuda
