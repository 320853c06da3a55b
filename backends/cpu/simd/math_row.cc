// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/simd/math_row.h"

#include <cmath>
#include <cstring>

#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/math_row.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "backends/cpu/simd/partial_inl.h"
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace scrooge::backend::cpu::HWY_NAMESPACE {

using DoubleTag = hn::ScalableTag<double>;
using NarrowTag = hn::Rebind<float, DoubleTag>;

// Four independent sums hide the latency of the additions; they are joined in a fixed order.
template <typename Term>
HWY_INLINE double sum_f64(const float* a, const float* b, int64_t n, const Term& term) {
  const DoubleTag tag;
  const NarrowTag narrow;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  auto sum0 = hn::Zero(tag), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  const auto load = [&](const float* at) HWY_ATTR { return hn::PromoteTo(tag, hn::LoadU(narrow, at)); };
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    sum0 = term(load(a + i), load(b + i), sum0);
    sum1 = term(load(a + i + lanes), load(b + i + lanes), sum1);
    sum2 = term(load(a + i + 2 * lanes), load(b + i + 2 * lanes), sum2);
    sum3 = term(load(a + i + 3 * lanes), load(b + i + 3 * lanes), sum3);
  }
  for (; i + lanes <= n; i += lanes) sum0 = term(load(a + i), load(b + i), sum0);
  const auto joined = hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3));
  double total = hn::GetLane(hn::SumOfLanes(tag, joined));
  for (; i < n; ++i) {
    total += hn::GetLane(
        term(hn::Set(tag, static_cast<double>(a[i])), hn::Set(tag, static_cast<double>(b[i])), hn::Zero(tag)));
  }
  return total;
}

double dot(const float* a, const float* b, int64_t n) {
  return sum_f64(a, b, n, [](auto x, auto y, auto sum) HWY_ATTR { return hn::MulAdd(x, y, sum); });
}

double squared_difference(const float* a, const float* b, int64_t n) {
  return sum_f64(a, b, n, [](auto x, auto y, auto sum) HWY_ATTR {
    const auto difference = hn::Sub(x, y);
    return hn::MulAdd(difference, difference, sum);
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
  map_row(x, y, y, static_cast<size_t>(n), [=](FloatVec a, FloatVec b) HWY_ATTR { return hn::MulAdd(a, factor, b); });
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
    store_partial(hn::MulSub(x, c, hn::Mul(y, s)), tag, a + i, part);
    store_partial(hn::MulAdd(y, c, hn::Mul(x, s)), tag, b + i, part);
  }
}

// 1 / (1 + exp(-x)) without overflow: the exponential is taken of -|x|.
HWY_INLINE FloatVec sigmoid(FloatVec x) {
  const FloatTag tag;
  const auto one = hn::Set(tag, 1.0f);
  const auto z = hn::Exp(tag, hn::Neg(hn::Abs(x)));
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
    const auto twice_u = hn::Mul(x, hn::MulAdd(hn::Mul(x, x), cubic, linear));
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
  auto sum = hn::Zero(tag);
  for (i = 0; i + lanes <= count; i += lanes) {
    const auto e = hn::Exp(tag, hn::Sub(hn::LoadU(tag, s + i), top));
    hn::StoreU(e, tag, s + i);
    sum = hn::Add(sum, e);
  }
  if (i < count) {
    const auto e = hn::Exp(tag, hn::Sub(load_partial(tag, s + i, count - i), top));
    store_partial(e, tag, s + i, count - i);
    sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(tag, count - i), e));
  }
  return hn::GetLane(hn::SumOfLanes(tag, sum));
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
    y[i] = static_cast<float>(0.5 * x * std::erfc(-x * kRootHalf)) * b[i];
  }
}

}  // namespace scrooge::backend::cpu
#endif
