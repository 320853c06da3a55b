// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::gram_solve(const GramSolveParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t size = p.x.cols;
  std::vector<double> x(static_cast<size_t>(size)), half(x.size());  // by step
  for (int64_t n = 0; n < p.x.rows; ++n) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = load(p.x, n, p.order[i]);
    for (int64_t j = 0; j < size; ++j) {
      double sum = 0;
      for (int64_t i = j; i < size; ++i) sum += x[static_cast<size_t>(i)] * load(p.factor, j, i);
      half[static_cast<size_t>(j)] = sum;
    }
    for (int64_t i = 0; i < size; ++i) {
      double sum = 0;
      for (int64_t j = 0; j <= i; ++j) sum += half[static_cast<size_t>(j)] * load(p.factor, i, j);
      store(p.y, n, p.order[static_cast<size_t>(i)], sum);
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
