// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/ops/elementwise.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {

Status CudaDevice::add(const AddParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.x.rows == 0 || p.x.cols == 0) return {};
  return run("add", {p.x.buffer, p.y.buffer}, [&](Work& work) {
    const Span span = span_of({&p.x, &p.y}, true);
    const AddArguments arguments{view<const float>(p.x), view<float>(p.y), span, p.alpha};
    return work.launch({"add", "scrooge_add"}, shape_of(span), arguments);
  });
}

}  // namespace scrooge::backend::cuda
