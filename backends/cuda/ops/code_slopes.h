// SPDX-License-Identifier: Apache-2.0
// S = E G of codes, for the ops that start from it.
#pragma once

#include "backends/cuda/kernels/code_error.h"
#include "backends/cuda/ops/tile.h"

namespace scrooge::backend::cuda {

inline Status launch_code_slopes(Work& work, const CodeError& error, const MatrixView<const float>& gram,
                                 const MatrixView<float>& slopes) {
  return work.launch({"code_slopes", "scrooge_code_slopes"}, tile_shape(slopes.cols, slopes.rows),
                     CodeSlopesArguments{error, gram, slopes});
}

}  // namespace scrooge::backend::cuda
