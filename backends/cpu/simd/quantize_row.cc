// SPDX-License-Identifier: Apache-2.0
// Divisions are true divisions, sums are separate from products: a reciprocal or a fused multiply-add would move codes
// that lie near a tie.
#include "backends/cpu/simd/quantize_row.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/quantize_row.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "backends/cpu/simd/partial_inl.h"

HWY_BEFORE_NAMESPACE();
namespace scrooge::backend::cpu::HWY_NAMESPACE {

HWY_INLINE ValueRange range_of(const float* w, size_t n) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  auto low = hn::Set(tag, w[0]);
  auto high = low;
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(tag, w + i);
    low = hn::Min(low, v);
    high = hn::Max(high, v);
  }
  if (i < n) {
    const auto v = hn::IfThenElse(hn::FirstN(tag, n - i), load_partial(tag, w + i, n - i), low);
    low = hn::Min(low, v);
    high = hn::IfThenElse(hn::FirstN(tag, n - i), hn::Max(high, v), high);
  }
  return {hn::GetLane(hn::MinOfLanes(tag, low)), hn::GetLane(hn::MaxOfLanes(tag, high))};
}

// Constants of one group in registers.
struct Quantizer {
  FloatVec scale, zero, top, none;

  HWY_INLINE Quantizer(GroupParams params, float top_code)
      : scale(hn::Set(FloatTag(), params.scale)),
        zero(hn::Set(FloatTag(), params.zero)),
        top(hn::Set(FloatTag(), top_code)),
        none(hn::Zero(FloatTag())) {}

  HWY_INLINE FloatVec code(FloatVec w) const {
    const auto shifted = hn::Add(hn::Round(hn::Div(w, scale)), zero);
    return hn::Min(hn::Max(shifted, none), top);
  }
  HWY_INLINE FloatVec value(FloatVec code_value) const { return hn::Mul(hn::Sub(code_value, zero), scale); }
  HWY_INLINE FloatVec rounded(FloatVec w) const { return value(code(w)); }
};

ValueRange range(const float* w, int64_t n) { return range_of(w, static_cast<size_t>(n)); }

void quantize(const float* w, int64_t n, GroupParams params, float top, uint8_t* codes) {
  const FloatTag tag;
  const hn::RebindToSigned<FloatTag> integer_tag;
  const hn::Rebind<uint8_t, FloatTag> code_tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const Quantizer quantizer(params, top);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto code = quantizer.code(hn::LoadU(tag, w + i));
    hn::StoreU(hn::DemoteTo(code_tag, hn::ConvertTo(integer_tag, code)), code_tag, codes + i);
  }
  for (; i < n; ++i) codes[i] = static_cast<uint8_t>(quantize_value(w[i], params, top));
}

void dequantize(const uint8_t* codes, int64_t n, GroupParams params, float* w) {
  const FloatTag tag;
  const hn::RebindToSigned<FloatTag> integer_tag;
  const hn::Rebind<uint8_t, FloatTag> code_tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const Quantizer quantizer(params, 0);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto code = hn::ConvertTo(tag, hn::PromoteTo(integer_tag, hn::LoadU(code_tag, codes + i)));
    hn::StoreU(quantizer.value(code), tag, w + i);
  }
  for (; i < n; ++i) w[i] = dequantize_value(static_cast<float>(codes[i]), params);
}

void quantize_error(const float* w, int64_t n, GroupParams params, float top, float* error_row) {
  const Quantizer quantizer(params, top);
  map_row(w, error_row, static_cast<size_t>(n),
          [&quantizer](FloatVec v) HWY_ATTR { return hn::Sub(quantizer.rounded(v), v); });
}

void scaled_error(const float* w, const float* s, const float* inverse, int64_t k, const QuantSpec& spec, float* scaled,
                  float* difference) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  const auto columns = static_cast<size_t>(k);
  const auto group = static_cast<size_t>(spec.group_length(k));
  const auto top = static_cast<float>(spec.max_code());
  map_row(w, s, scaled, columns, [](FloatVec a, FloatVec b) HWY_ATTR { return hn::Mul(a, b); });
  for (size_t begin = 0; begin < columns; begin += group) {
    const size_t end = std::min(columns, begin + group);
    const ValueRange ends = range_of(scaled + begin, end - begin);
    const Quantizer quantizer(params_from_range(ends.low, ends.high, spec), top);
    size_t i = begin;
    for (; i + lanes <= end; i += lanes) {
      const auto restored = hn::Mul(quantizer.rounded(hn::LoadU(tag, scaled + i)), hn::LoadU(tag, inverse + i));
      hn::StoreU(hn::Sub(restored, hn::LoadU(tag, w + i)), tag, difference + i);
    }
    if (i < end) {
      const size_t rest = end - i;
      const auto value = quantizer.rounded(load_partial(tag, scaled + i, rest));
      const auto restored = hn::Mul(value, load_partial(tag, inverse + i, rest));
      store_partial(hn::Sub(restored, load_partial(tag, w + i, rest)), tag, difference + i, rest);
    }
  }
}

}  // namespace scrooge::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace scrooge::backend::cpu {
HWY_EXPORT(range);
HWY_EXPORT(quantize);
HWY_EXPORT(dequantize);
HWY_EXPORT(quantize_error);
HWY_EXPORT(scaled_error);

ValueRange row_range(const float* w, int64_t n) { return HWY_DYNAMIC_DISPATCH(range)(w, n); }

void quantize_row(const float* w, int64_t n, GroupParams params, float top, uint8_t* codes) {
  HWY_DYNAMIC_DISPATCH(quantize)(w, n, params, top, codes);
}

void dequantize_row(const uint8_t* codes, int64_t n, GroupParams params, float* w) {
  HWY_DYNAMIC_DISPATCH(dequantize)(codes, n, params, w);
}

void quantize_error_row(const float* w, int64_t n, GroupParams params, float top, float* error_row) {
  HWY_DYNAMIC_DISPATCH(quantize_error)(w, n, params, top, error_row);
}

void scaled_error_row(const float* w, const float* s, const float* inverse, int64_t k, const QuantSpec& spec,
                      float* scaled, float* difference) {
  HWY_DYNAMIC_DISPATCH(scaled_error)(w, s, inverse, k, spec, scaled, difference);
}

}  // namespace scrooge::backend::cpu
#endif
