// SPDX-License-Identifier: Apache-2.0
// Tasks are tiles of up to 192 rows.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/quadratic_form.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {

Status CpuDevice::gram_loss(const GramLossParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.a.cols;
  std::fill(p.loss.begin(), p.loss.end(), 0.0);
  if (p.a.rows == 0 || k == 0) return {};
  const Execution context = execution();
  const Tiling rows(p.a.rows, quadratic_form_rows(k), 1);
  Carver sizes;
  sizes.take<float>(rows.size * k);
  sizes.take<std::byte>(static_cast<int64_t>(quadratic_form_scratch(rows.size, k, false)));
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(0, sizes.used()));
  return context.for_each(rows.count, [&](int64_t index, int worker) {
    Carver carver(scratch_.worker(worker));
    float* e = carver.take<float>(rows.size * k);
    auto* space = carver.take<std::byte>(0);
    const int64_t first = rows.begin(index);
    const int64_t count = rows.length(index);
    for (int64_t r = 0; r < count; ++r) {
      subtract_row(row_of<float>(p.a, first + r), row_of<float>(p.b, first + r), e + r * k, k);
    }
    const QuadraticForm form{count, k, e, row_of<float>(p.gram, 0), p.gram.stride, false};
    return quadratic_form(context, worker, form, space, p.loss.data() + first);
  });
}

}  // namespace scrooge::backend::cpu
