// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {

Status CpuDevice::rope(const RopeParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t half = p.inv_freq.size;
  if (p.x.rows == 0 || half == 0) return {};
  const std::span<const float> inv_freq(data_of<float>(p.inv_freq), static_cast<size_t>(half));
  SCROOGE_RETURN_IF_ERROR(rope_table_.prepare(budget_, inv_freq, p.magnitude, std::min(p.sequence_length, p.x.rows)));
  return execution().for_each_row(p.x.rows, p.x.cols, [&](int64_t t) {
    const float* cosine = rope_table_.cosine(t % p.sequence_length);
    const float* sine = rope_table_.sine(t % p.sequence_length);
    float* x = row_of<float>(p.x, t);
    for (int64_t head = 0; head < p.x.cols; head += p.head_width) {
      rotate_row(x + head, x + head + half, cosine, sine, half);
    }
  });
}

}  // namespace scrooge::backend::cpu
