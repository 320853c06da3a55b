// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/ops/elementwise.h"
#include "backends/cuda/ops/scheme.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {

Status CudaDevice::quantize(const QuantizeParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.w.rows == 0 || p.w.cols == 0) return {};
  return run("quantize", {p.w.buffer, p.scales.buffer, p.zeros.buffer, p.codes.buffer}, [&](Work& work) -> Status {
    SCROOGE_ASSIGN_OR_RETURN(const Scheme scheme, scheme_of(p.spec, p.w.cols));
    const Span span = span_of({&p.w, &p.codes}, false);
    const QuantizeArguments arguments{view<const float>(p.w),
                                      view<const float>(p.scales),
                                      view<const float>(p.zeros),
                                      view<Code>(p.codes),
                                      scheme,
                                      span};
    return work.launch({"quantize", "scrooge_quantize"}, shape_of(span), arguments);
  });
}

}  // namespace scrooge::backend::cuda
