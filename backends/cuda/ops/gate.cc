// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/ops/elementwise.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

const char* kernel_of(Activation activation) {
  switch (activation) {
    case Activation::kSilu: return "scrooge_gate_silu";
    case Activation::kGeluTanh: return "scrooge_gate_gelu_tanh";
    case Activation::kGeluErf: return "scrooge_gate_gelu_erf";
    case Activation::kRelu: break;
  }
  return "scrooge_gate_relu";
}

}  // namespace

Status CudaDevice::gate(const GateParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.a.rows == 0 || p.a.cols == 0) return {};
  return run("gate", {p.a.buffer, p.b.buffer, p.y.buffer}, [&](Work& work) {
    const Span span = span_of({&p.a, &p.b, &p.y}, true);
    const GateArguments arguments{view<const float>(p.a), view<const float>(p.b), view<float>(p.y), span};
    return work.launch({"gate", kernel_of(p.activation)}, shape_of(span), arguments);
  });
}

}  // namespace scrooge::backend::cuda
