// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/simd/math_row.h"

#include <algorithm>
#include <cmath>

#include "backends/cpu/simd/targets.h"
#include "src/base/portable_math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/math_row.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "backends/cpu/simd/partial_inl.h"

HWY_BEFORE_NAMESPACE();
namespace scrooge::backend::cpu::HWY_NAMESPACE {

// Sums run in this many lanes whatever the vectors: element i goes to lane i modulo that, and the lanes are joined in
// halves. So the result does not depend on the instruction set.
constexpr size_t kSumLanes = 32;  // of f64: enough independent sums to hide the latency of the additions

template <typename T>
HWY_INLINE T join(T* lanes, size_t count) {
  for (size_t half = count / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

template <typename Term>
HWY_INLINE double sum_f64(const float* a, const float* b, int64_t n, const Term& term) {
  using Tag = hn::CappedTag<double, 8>;
  const Tag tag;
  const hn::Rebind<float, Tag> narrow;
  constexpr size_t kLanes = hn::MaxLanes(Tag());
  constexpr size_t kVectors = kSumLanes / kLanes;
  hn::Vec<Tag> sums[kVectors];
  for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::Zero(tag);
  const auto load = [&](const float* at) HWY_ATTR { return hn::PromoteTo(tag, hn::LoadU(narrow, at)); };
  const auto count = static_cast<size_t>(n);
  size_t i = 0;
  for (; i + kSumLanes <= count; i += kSumLanes) {
    for (size_t v = 0; v < kVectors; ++v) {
      sums[v] = hn::Add(sums[v], term(load(a + i + v * kLanes), load(b + i + v * kLanes)));
    }
  }
  HWY_ALIGN double lanes[kSumLanes];
  for (size_t v = 0; v < kVectors; ++v) hn::Store(sums[v], tag, lanes + v * kLanes);
  for (size_t lane = 0; i < count; ++i, ++lane) {
    const auto x = hn::Set(tag, static_cast<double>(a[i])), y = hn::Set(tag, static_cast<double>(b[i]));
    lanes[lane] += hn::GetLane(term(x, y));
  }
  return join(lanes, kSumLanes);
}

double dot(const float* a, const float* b, int64_t n) {
  return sum_f64(a, b, n, [](auto x, auto y) HWY_ATTR { return hn::Mul(x, y); });
}

double squared_difference(const float* a, const float* b, int64_t n) {
  return sum_f64(a, b, n, [](auto x, auto y) HWY_ATTR {
    const auto difference = hn::Sub(x, y);
    return hn::Mul(difference, difference);
  });
}

int64_t non_finite(const float* a, int64_t n) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  int64_t count = 0;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    count += lanes - static_cast<int64_t>(hn::CountTrue(tag, hn::IsFinite(hn::LoadU(tag, a + i))));
  }
  for (; i < n; ++i) count += std::isfinite(a[i]) ? 0 : 1;
  return count;
}

void add_scaled(const float* x, float alpha, float* y, int64_t n) {
  const auto factor = hn::Set(FloatTag(), alpha);
  map_row(x, y, y, static_cast<size_t>(n),
          [=](FloatVec a, FloatVec b) HWY_ATTR { return hn::Add(hn::Mul(a, factor), b); });
}

void multiply(const float* x, const float* s, float* y, int64_t n) {
  map_row(x, s, y, static_cast<size_t>(n), [](FloatVec a, FloatVec b) HWY_ATTR { return hn::Mul(a, b); });
}

void scale(const float* x, float factor, float* y, int64_t n) {
  const auto f = hn::Set(FloatTag(), factor);
  map_row(x, y, static_cast<size_t>(n), [=](FloatVec a) HWY_ATTR { return hn::Mul(a, f); });
}

void normalize(const float* x, float factor, const float* gamma, float* y, int64_t n) {
  const auto f = hn::Set(FloatTag(), factor);
  map_row(x, gamma, y, static_cast<size_t>(n),
          [=](FloatVec a, FloatVec g) HWY_ATTR { return hn::Mul(hn::Mul(a, f), g); });
}

void subtract(const float* a, const float* b, float* y, int64_t n) {
  map_row(a, b, y, static_cast<size_t>(n), [](FloatVec p, FloatVec q) HWY_ATTR { return hn::Sub(p, q); });
}

void rotate(float* a, float* b, const float* cosine, const float* sine, int64_t n) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  const auto count = static_cast<size_t>(n);
  for (size_t i = 0; i < count; i += lanes) {
    const size_t part = std::min(lanes, count - i);
    const auto x = load_partial(tag, a + i, part), y = load_partial(tag, b + i, part);
    const auto c = load_partial(tag, cosine + i, part), s = load_partial(tag, sine + i, part);
    store_partial(hn::Sub(hn::Mul(x, c), hn::Mul(y, s)), tag, a + i, part);
    store_partial(hn::Add(hn::Mul(y, c), hn::Mul(x, s)), tag, b + i, part);
  }
}

// e^x for x <= 0 within about 2 units in the last place, 0 where that would be subnormal. With x = n ln 2 + r the
// Taylor polynomial of r, |r| <= ln(2) / 2, ends where the next term no longer shows.
template <class Tag>
HWY_INLINE hn::Vec<Tag> exp_of_negative(Tag tag, hn::Vec<Tag> x) {
  const hn::RebindToSigned<Tag> integers;
  const auto least = hn::Set(tag, -87.3f);
  const auto vanishes = hn::Lt(x, least);
  const auto bounded = hn::Max(x, least);
  const auto n = hn::Round(hn::Mul(bounded, hn::Set(tag, 1.44269504f)));
  // ln 2 in two parts, n times the first of which is exact.
  const auto rest = hn::Sub(bounded, hn::Mul(n, hn::Set(tag, 0.693359375f)));
  const auto r = hn::Sub(rest, hn::Mul(n, hn::Set(tag, -2.12194440e-4f)));
  auto sum = hn::Set(tag, 1.0f / 5040);
  for (const float term : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) {
    sum = hn::Add(hn::Mul(sum, r), hn::Set(tag, term));
  }
  const auto biased = hn::Add(hn::ConvertTo(integers, n), hn::Set(integers, 127));
  return hn::IfThenZeroElse(vanishes, hn::Mul(sum, hn::BitCast(tag, hn::ShiftLeft<23>(biased))));
}

// 1 / (1 + exp(-x)) without overflow: the exponential is taken of -|x|.
HWY_INLINE FloatVec sigmoid(FloatVec x) {
  const FloatTag tag;
  const auto one = hn::Set(tag, 1.0f);
  const auto z = exp_of_negative(tag, hn::Neg(hn::Abs(x)));
  const auto numerator = hn::IfThenElse(hn::Lt(x, hn::Zero(tag)), z, one);
  return hn::Div(numerator, hn::Add(one, z));
}

void gate_silu(const float* a, const float* b, float* y, int64_t n) {
  map_row(a, b, y, static_cast<size_t>(n),
          [](FloatVec x, FloatVec m) HWY_ATTR { return hn::Mul(hn::Mul(x, sigmoid(x)), m); });
}

// 0.5 x (1 + tanh(u)) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3).
void gate_gelu_tanh(const float* a, const float* b, float* y, int64_t n) {
  const FloatTag tag;
  const auto linear = hn::Set(tag, 1.59576912f);
  const auto cubic = hn::Set(tag, 0.0713548162f);
  map_row(a, b, y, static_cast<size_t>(n), [=](FloatVec x, FloatVec m) HWY_ATTR {
    const auto twice_u = hn::Mul(x, hn::Add(hn::Mul(hn::Mul(x, x), cubic), linear));
    return hn::Mul(hn::Mul(x, sigmoid(twice_u)), m);
  });
}

void gate_relu(const float* a, const float* b, float* y, int64_t n) {
  const auto none = hn::Zero(FloatTag());
  map_row(a, b, y, static_cast<size_t>(n),
          [=](FloatVec x, FloatVec m) HWY_ATTR { return hn::Mul(hn::IfThenElse(hn::Lt(x, none), none, x), m); });
}

float exponentials(float* s, float factor, int64_t n) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  const auto count = static_cast<size_t>(n);
  const auto f = hn::Set(tag, factor);
  auto greatest = hn::Set(tag, s[0] * factor);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto scaled = hn::Mul(hn::LoadU(tag, s + i), f);
    hn::StoreU(scaled, tag, s + i);
    greatest = hn::Max(greatest, scaled);
  }
  if (i < count) {
    const auto scaled = hn::Mul(load_partial(tag, s + i, count - i), f);
    store_partial(scaled, tag, s + i, count - i);
    greatest = hn::IfThenElse(hn::FirstN(tag, count - i), hn::Max(greatest, scaled), greatest);
  }
  const auto top = hn::MaxOfLanes(tag, greatest);
  constexpr size_t kLanes = hn::MaxLanes(FloatTag());
  constexpr size_t kAll = 16;
  constexpr size_t kVectors = kAll / kLanes;
  FloatVec sums[kVectors];
  for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::Zero(tag);
  for (i = 0; i + kAll <= count; i += kAll) {
    for (size_t v = 0; v < kVectors; ++v) {
      const auto e = exp_of_negative(tag, hn::Sub(hn::LoadU(tag, s + i + v * kLanes), top));
      hn::StoreU(e, tag, s + i + v * kLanes);
      sums[v] = hn::Add(sums[v], e);
    }
  }
  for (size_t v = 0; i < count; ++v, i += kLanes) {
    const size_t part = std::min(kLanes, count - i);
    const auto e = exp_of_negative(tag, hn::Sub(load_partial(tag, s + i, part), top));
    store_partial(e, tag, s + i, part);
    sums[v] = hn::Add(sums[v], hn::IfThenElseZero(hn::FirstN(tag, part), e));
  }
  HWY_ALIGN float all[kAll];
  for (size_t v = 0; v < kVectors; ++v) hn::Store(sums[v], tag, all + v * kLanes);
  return join(all, kAll);
}

}  // namespace scrooge::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace scrooge::backend::cpu {
HWY_EXPORT(dot);
HWY_EXPORT(squared_difference);
HWY_EXPORT(non_finite);
HWY_EXPORT(add_scaled);
HWY_EXPORT(multiply);
HWY_EXPORT(scale);
HWY_EXPORT(normalize);
HWY_EXPORT(subtract);
HWY_EXPORT(rotate);
HWY_EXPORT(gate_silu);
HWY_EXPORT(gate_gelu_tanh);
HWY_EXPORT(gate_relu);
HWY_EXPORT(exponentials);

double dot_f64(const float* a, const float* b, int64_t n) { return HWY_DYNAMIC_DISPATCH(dot)(a, b, n); }
double squared_difference_f64(const float* a, const float* b, int64_t n) {
  return HWY_DYNAMIC_DISPATCH(squared_difference)(a, b, n);
}
int64_t count_non_finite(const float* a, int64_t n) { return HWY_DYNAMIC_DISPATCH(non_finite)(a, n); }
void add_scaled_row(const float* x, float alpha, float* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(add_scaled)(x, alpha, y, n);
}
void multiply_row(const float* x, const float* s, float* y, int64_t n) { HWY_DYNAMIC_DISPATCH(multiply)(x, s, y, n); }
void scale_row(const float* x, float factor, float* y, int64_t n) { HWY_DYNAMIC_DISPATCH(scale)(x, factor, y, n); }
void normalize_row(const float* x, float factor, const float* gamma, float* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(normalize)(x, factor, gamma, y, n);
}
void subtract_row(const float* a, const float* b, float* y, int64_t n) { HWY_DYNAMIC_DISPATCH(subtract)(a, b, y, n); }
void rotate_row(float* a, float* b, const float* cosine, const float* sine, int64_t n) {
  HWY_DYNAMIC_DISPATCH(rotate)(a, b, cosine, sine, n);
}
float exp_row(float* s, float factor, int64_t n) { return HWY_DYNAMIC_DISPATCH(exponentials)(s, factor, n); }

void gate_row(Activation activation, const float* a, const float* b, float* y, int64_t n) {
  switch (activation) {
    case Activation::kSilu: return HWY_DYNAMIC_DISPATCH(gate_silu)(a, b, y, n);
    case Activation::kGeluTanh: return HWY_DYNAMIC_DISPATCH(gate_gelu_tanh)(a, b, y, n);
    case Activation::kRelu: return HWY_DYNAMIC_DISPATCH(gate_relu)(a, b, y, n);
    case Activation::kGeluErf: break;
  }
  // No vector form of erf in the library used here; erfc keeps the small negative side accurate.
  constexpr double kRootHalf = 0.70710678118654752440;
  for (int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<double>(a[i]);
    y[i] = static_cast<float>(0.5 * x * portable_erfc(-x * kRootHalf)) * b[i];
  }
}

}  // namespace scrooge::backend::cpu
#endif
