// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/simd/column_sums.h"

#include <algorithm>

#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/column_sums.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "backends/cpu/simd/partial_inl.h"

HWY_BEFORE_NAMESPACE();
namespace scrooge::backend::cpu::HWY_NAMESPACE {

void column_sums(const float* x, int64_t stride, int64_t rows, int64_t cols, double* sum, double* sum_abs,
                 float* max_abs) {
  constexpr int64_t kRows = 32;
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  for (int64_t first = 0; first < rows; first += kRows) {
    const int64_t last = std::min(rows, first + kRows);
    for (int64_t c = 0; c < cols; c += lanes) {
      const int64_t width = std::min(lanes, cols - c);
      auto part = hn::Zero(tag), part_abs = hn::Zero(tag);
      auto greatest = load_partial(tag, max_abs + c, static_cast<size_t>(width));
      for (int64_t t = first; t < last; ++t) {
        const float* at = x + t * stride + c;
        const auto v = width == lanes ? hn::LoadU(tag, at) : load_partial(tag, at, static_cast<size_t>(width));
        const auto magnitude = hn::Abs(v);
        part = hn::Add(part, v);
        part_abs = hn::Add(part_abs, magnitude);
        greatest = hn::Max(greatest, magnitude);
      }
      store_partial(greatest, tag, max_abs + c, static_cast<size_t>(width));
      HWY_ALIGN float sums[2][HWY_MAX_BYTES / sizeof(float)];
      hn::Store(part, tag, sums[0]);
      hn::Store(part_abs, tag, sums[1]);
      for (int64_t i = 0; i < width; ++i) sum[c + i] += static_cast<double>(sums[0][i]);
      for (int64_t i = 0; i < width; ++i) sum_abs[c + i] += static_cast<double>(sums[1][i]);
    }
  }
}

}  // namespace scrooge::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace scrooge::backend::cpu {
HWY_EXPORT(column_sums);

void add_column_sums(const float* x, int64_t stride, int64_t rows, int64_t cols, double* sum, double* sum_abs,
                     float* max_abs) {
  HWY_DYNAMIC_DISPATCH(column_sums)(x, stride, rows, cols, sum, sum_abs, max_abs);
}

}  // namespace scrooge::backend::cpu
#endif
