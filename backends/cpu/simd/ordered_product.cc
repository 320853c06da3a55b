// SPDX-License-Identifier: Apache-2.0
// op(b) goes through a panel of 128 steps by two vectors of columns, which stays in the nearest cache while all rows
// pass over it; a tile of rows by these two vectors is summed in registers.
#include "backends/cpu/simd/ordered_product.h"

#include <algorithm>

#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/ordered_product.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace scrooge::backend::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kDepth = 128;  // part of the result
// As many sums as the registers hold beside two vectors of b; not part of the result.
#if HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_AVX2
constexpr int kTileRows = 4;
#else
constexpr int kTileRows = 8;
#endif

template <typename T>
constexpr int64_t lanes_of() {
  return static_cast<int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
}

// `depth` steps of op(b) from `step` on and a panel's columns from `column` on, zeros beyond the last.
template <typename T>
void fill_panel(const BasicProduct<T>& p, int64_t step, int64_t depth, int64_t column, T* panel) {
  constexpr int64_t kWidth = 2 * lanes_of<T>();
  const int64_t width = std::min(kWidth, p.n - column);
  for (int64_t s = 0; s < depth; ++s) {
    T* to = panel + s * kWidth;
    if (p.transpose_b) {
      const T* from = p.b + column * p.ldb + step + s;
      for (int64_t j = 0; j < width; ++j) to[j] = from[j * p.ldb];
    } else {
      std::copy_n(p.b + (step + s) * p.ldb + column, width, to);
    }
    std::fill(to + width, to + kWidth, T{0});
  }
}

// Adds to, or with `overwrite` sets, kRows rows of c from `row` on in the columns of the panel.
template <int kRows, typename T>
HWY_INLINE void add_tile(const BasicProduct<T>& p, int64_t row, int64_t step, int64_t depth, int64_t column,
                         const T* panel, bool overwrite) {
  const hn::ScalableTag<T> tag;
  constexpr int64_t kLanes = lanes_of<T>();
  hn::Vec<hn::ScalableTag<T>> low[kRows], high[kRows];
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = hn::Zero(tag);
  const int64_t row_stride = p.transpose_a ? 1 : p.lda;
  const int64_t step_stride = p.transpose_a ? p.lda : 1;
  const T* a = p.a + row * row_stride + step * step_stride;
  for (int64_t s = 0; s < depth; ++s, a += step_stride, panel += 2 * kLanes) {
    const auto b_low = hn::Load(tag, panel), b_high = hn::Load(tag, panel + kLanes);
    for (int r = 0; r < kRows; ++r) {
      const auto factor = hn::Set(tag, a[r * row_stride]);
      low[r] = hn::Add(low[r], hn::Mul(factor, b_low));
      high[r] = hn::Add(high[r], hn::Mul(factor, b_high));
    }
  }
  const auto alpha = hn::Set(tag, p.alpha);
  const int64_t width = std::min(2 * kLanes, p.n - column);
  for (int r = 0; r < kRows; ++r) {
    T* c = p.c + (row + r) * p.ldc + column;
    low[r] = hn::Mul(low[r], alpha);
    high[r] = hn::Mul(high[r], alpha);
    if (width == 2 * kLanes) {
      hn::StoreU(overwrite ? low[r] : hn::Add(hn::LoadU(tag, c), low[r]), tag, c);
      hn::StoreU(overwrite ? high[r] : hn::Add(hn::LoadU(tag, c + kLanes), high[r]), tag, c + kLanes);
    } else {
      HWY_ALIGN T sums[2 * kLanes];
      hn::Store(low[r], tag, sums);
      hn::Store(high[r], tag, sums + kLanes);
      for (int64_t j = 0; j < width; ++j) c[j] = overwrite ? sums[j] : c[j] + sums[j];
    }
  }
}

template <typename T>
void multiply(const BasicProduct<T>& p) {
  HWY_ALIGN T panel[kDepth * 2 * lanes_of<T>()];
  for (int64_t step = 0; step < p.k; step += kDepth) {
    const int64_t depth = std::min(kDepth, p.k - step);
    const bool overwrite = step == 0 && p.beta == 0;
    for (int64_t column = 0; column < p.n; column += 2 * lanes_of<T>()) {
      fill_panel(p, step, depth, column, panel);
      int64_t row = 0;
      for (; row + kTileRows <= p.m; row += kTileRows) {
        add_tile<kTileRows>(p, row, step, depth, column, panel, overwrite);
      }
      for (; row < p.m; ++row) add_tile<1>(p, row, step, depth, column, panel, overwrite);
    }
  }
}

void multiply_f32(const BasicProduct<float>& product) { multiply(product); }
void multiply_f64(const BasicProduct<double>& product) { multiply(product); }

}  // namespace scrooge::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace scrooge::backend::cpu {
HWY_EXPORT(multiply_f32);
HWY_EXPORT(multiply_f64);

void multiply_ordered(const BasicProduct<float>& product) { HWY_DYNAMIC_DISPATCH(multiply_f32)(product); }
void multiply_ordered(const BasicProduct<double>& product) { HWY_DYNAMIC_DISPATCH(multiply_f64)(product); }

}  // namespace scrooge::backend::cpu
#endif
