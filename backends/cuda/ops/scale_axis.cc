// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/ops/elementwise.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {

Status CudaDevice::scale_axis(const ScaleAxisParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.x.rows == 0 || p.x.cols == 0) return {};
  return run("scale_axis", {p.x.buffer, p.y.buffer, p.s.buffer}, [&](Work& work) {
    const Span span = span_of({&p.x, &p.y}, false);
    const ScaleAxisArguments arguments{view<const float>(p.x), view<float>(p.y), view<const float>(p.s), span};
    const bool by_column = p.axis == ScaleAxisParams::Axis::kColumns;
    return work.launch({"scale_axis", by_column ? "scrooge_scale_columns" : "scrooge_scale_rows"}, shape_of(span),
                       arguments);
  });
}

}  // namespace scrooge::backend::cuda
