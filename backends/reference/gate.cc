// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numbers>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

namespace {

double activate(double a, Activation activation) {
  switch (activation) {
    case Activation::kSilu: return a / (1 + std::exp(-a));
    case Activation::kGeluTanh: {
      const double inner = std::sqrt(2 / std::numbers::pi) * (a + 0.044715 * a * a * a);
      return 0.5 * a * (1 + std::tanh(inner));
    }
    case Activation::kGeluErf: return 0.5 * a * (1 + std::erf(a / std::numbers::sqrt2));
    case Activation::kRelu: return a > 0 ? a : 0;
  }
  return 0;
}

}  // namespace

Status ReferenceDevice::gate(const GateParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t t = 0; t < p.a.rows; ++t) {
    for (int64_t f = 0; f < p.a.cols; ++f) store(p.y, t, f, activate(load(p.a, t, f), p.activation) * load(p.b, t, f));
  }
  return {};
}

}  // namespace scrooge::backend::reference
