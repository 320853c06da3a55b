// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"
#include "src/tensor/quantize_math.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::gptq(const GptqParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t size = p.w.cols;
  const int64_t group = p.spec.group_length(size);
  const auto top = static_cast<float>(p.spec.max_code());
  std::vector<double> w(static_cast<size_t>(size));  // by step
  for (int64_t n = 0; n < p.w.rows; ++n) {
    for (size_t j = 0; j < w.size(); ++j) w[j] = load(p.w, n, p.order[j]);
    for (size_t j = 0; j < w.size(); ++j) {
      const int64_t channel = p.order[j];
      const auto step = static_cast<int64_t>(j);
      const GroupParams params{load(p.scales, n, channel / group), load(p.zeros, n, channel / group)};
      const float code = quantize_value(static_cast<float>(w[j]), params, top);
      store(p.codes, n, channel, code);
      const double e = (w[j] - dequantize_value(code, params)) / load(p.factor, step, step);
      for (size_t later = j + 1; later < w.size(); ++later) {
        w[later] -= e * load(p.factor, static_cast<int64_t>(later), step);
      }
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
