// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels/normalize.h"

#include "backends/cuda/ops/elementwise.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {

Status CudaDevice::normalize(const NormalizeParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.x.rows == 0 || p.x.cols == 0) return {};
  return run("normalize", {p.x.buffer, p.y.buffer, p.gamma.buffer}, [&](Work& work) {
    const NormalizeArguments arguments{view<const float>(p.x), view<float>(p.y), view<const float>(p.gamma),
                                       span_of({&p.x, &p.y}, false), p.epsilon};
    return work.launch({"normalize", "scrooge_normalize"}, {256, p.x.rows, 1, 1, 32 * sizeof(double)}, arguments);
  });
}

}  // namespace scrooge::backend::cuda
