// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/simd/gptq_tile.h"

#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/gptq_tile.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace scrooge::backend::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using RowTag = hn::CappedTag<float, 16>;  // two vectors never pass the end of a tile

void round_rows(const float* scales, const float* zeros, float top, float pivot, float* w, float* error) {
  const RowTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto none = hn::Zero(tag), highest = hn::Set(tag, top), divisor = hn::Set(tag, pivot);
  for (int64_t r = 0; r < kGptqRows; r += lanes) {
    const auto scale = hn::LoadU(tag, scales + r), zero = hn::LoadU(tag, zeros + r), value = hn::LoadU(tag, w + r);
    const auto shifted = hn::Add(hn::Round(hn::Div(value, scale)), zero);
    const auto code = hn::Min(hn::Max(shifted, none), highest);
    const auto difference = hn::Sub(value, hn::Mul(hn::Sub(code, zero), scale));
    hn::StoreU(code, tag, w + r);
    hn::StoreU(hn::Div(difference, divisor), tag, error + r);
  }
}

// kSteps later steps by two vectors of rows: as many independent sums as hide the latency of the subtraction, in
// registers on every instruction set.
template <int kSteps>
HWY_INLINE void spread_block(const GptqFactor& factor, int64_t begin, int64_t end, int64_t from, const float* error,
                             float* w) {
  const RowTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const float* rows[kSteps];
  for (int s = 0; s < kSteps; ++s) rows[s] = factor.rows + (from + s) * factor.stride;
  for (int64_t r = 0; r < kGptqRows; r += 2 * lanes) {
    hn::Vec<RowTag> low[kSteps], high[kSteps];
    for (int s = 0; s < kSteps; ++s) {
      low[s] = hn::LoadU(tag, w + (from + s) * kGptqRows + r);
      high[s] = hn::LoadU(tag, w + (from + s) * kGptqRows + r + lanes);
    }
    const float* e = error + r;
    for (int64_t j = begin; j < end; ++j, e += kGptqRows) {
      const auto low_error = hn::LoadU(tag, e), high_error = hn::LoadU(tag, e + lanes);
      for (int s = 0; s < kSteps; ++s) {
        const auto weight = hn::Set(tag, rows[s][j]);
        low[s] = hn::Sub(low[s], hn::Mul(weight, low_error));
        high[s] = hn::Sub(high[s], hn::Mul(weight, high_error));
      }
    }
    for (int s = 0; s < kSteps; ++s) {
      hn::StoreU(low[s], tag, w + (from + s) * kGptqRows + r);
      hn::StoreU(high[s], tag, w + (from + s) * kGptqRows + r + lanes);
    }
  }
}

void spread(const GptqFactor& factor, int64_t begin, int64_t end, int64_t from, int64_t to, const float* error,
            float* w) {
  if (begin == end) return;
  int64_t step = from;
  for (; step + 4 <= to; step += 4) spread_block<4>(factor, begin, end, step, error, w);
  for (; step < to; ++step) spread_block<1>(factor, begin, end, step, error, w);
}

}  // namespace scrooge::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace scrooge::backend::cpu {
HWY_EXPORT(round_rows);
HWY_EXPORT(spread);

void round_step(const float* scales, const float* zeros, float top, float pivot, float* w, float* error) {
  HWY_DYNAMIC_DISPATCH(round_rows)(scales, zeros, top, pivot, w, error);
}

void spread_error(const GptqFactor& factor, int64_t begin, int64_t end, int64_t from, int64_t to, const float* error,
                  float* w) {
  HWY_DYNAMIC_DISPATCH(spread)(factor, begin, end, from, to, error, w);
}

}  // namespace scrooge::backend::cpu
#endif
