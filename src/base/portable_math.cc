// SPDX-License-Identifier: Apache-2.0
// Each argument is reduced to a short interval, on which the Taylor series ends where its next term is below 2^-54.
#include "src/base/portable_math.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>

namespace scrooge {
namespace {

// ln 2 in two parts; a whole number up to 2^20 times the first is exact.
constexpr double kLog2High = 0x1.62e42feep-1;
constexpr double kLog2Low = 0x1.a39ef35793c76p-33;
// pi / 2 in three parts of 33 bits, likewise.
constexpr double kHalfPi[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2e037073p-69};

constexpr int kTerms = 20;
constexpr auto kInverseFactorials = [] {
  std::array<double, kTerms> result{};
  double factorial = 1;  // exact below 23!
  for (int i = 0; i < kTerms; ++i) {
    if (i > 0) factorial *= i;
    result[static_cast<size_t>(i)] = 1 / factorial;
  }
  return result;
}();
constexpr double kInverseOdds[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                   1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};

// erfc(x) e^(x^2) (1 + 2x) for x >= 0 as a Chebyshev series in (x - 3) / (x + 3), fitted at 64 nodes with 40 digits.
constexpr double kErfc[] = {
    1.1775625741965603,     0.005353904539615999,    -0.09377550342284179,    0.05436652555744348,
    -0.018976596707844996,  0.004453426061462863,    -0.0006335531710552303,  1.7661719523184915e-05,
    1.284153286399842e-05,  -2.007228566032922e-06,  -1.8075227923091615e-07, 7.549828319548287e-08,
    1.8856682394436546e-09, -2.6995193621352843e-09, -1.460111647818156e-11,  1.0361575183061736e-10,
    1.475411428968229e-12,  -4.277612001479586e-12,  -2.0814889091495805e-13, 1.8117486887033813e-13,
    1.9628326983261112e-14, -7.32478598792962e-15};

// sum of x^i / i! over i = first, first - step, ..., down to below step; x to the power of step is `power`.
double series(int first, int step, double power) {
  double sum = 0;
  for (int i = first; i >= 0; i -= step) sum = sum * power + kInverseFactorials[static_cast<size_t>(i)];
  return sum;
}

}  // namespace

double portable_exp(double x) {
  if (std::isnan(x)) return x;
  if (x < -708) return 0;
  if (x > 709) return std::numeric_limits<double>::infinity();
  const double n = std::nearbyint(x * 1.4426950408889634);
  const double r = (x - n * kLog2High) - n * kLog2Low;
  return std::ldexp(series(14, 1, r), static_cast<int>(n));
}

double portable_log(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    --exponent;
  }
  // ln m = 2 atanh(s), |s| < 0.172
  const double s = (mantissa - 1) / (mantissa + 1);
  double sum = 0;
  for (int i = 9; i >= 0; --i) sum = (sum + kInverseOdds[i]) * (s * s);
  return exponent * kLog2High + (exponent * kLog2Low + 2 * s * sum + 2 * s);
}

double portable_power(double base, double exponent) {
  if (exponent == 0) return 1;
  if (base < std::numeric_limits<double>::min()) {
    return exponent > 0 ? 0 : std::numeric_limits<double>::infinity();
  }
  if (exponent == 1) return base;
  return portable_exp(exponent * portable_log(base));
}

SineCosine portable_sine_cosine(double angle) {
  const double n = std::nearbyint(angle * 0.63661977236758134);
  const double x = ((angle - n * kHalfPi[0]) - n * kHalfPi[1]) - n * kHalfPi[2];
  // Signs alternate, so the series is one in -x^2.
  const double sine = x * series(19, 2, -(x * x));
  const double cosine = series(18, 2, -(x * x));
  switch (static_cast<int64_t>(n) & 3) {
    case 0: return {sine, cosine};
    case 1: return {cosine, -sine};
    case 2: return {-sine, -cosine};
    default: return {-cosine, sine};
  }
}

double portable_erfc(double x) {
  const double z = std::fabs(x);
  const double t = 2 * (z - 3) / (z + 3);
  double last = 0;
  double sum = 0;
  for (size_t i = std::size(kErfc) - 1; i > 0; --i) {
    const double next = t * sum - last + kErfc[i];
    last = sum;
    sum = next;
  }
  const double tail = portable_exp(-z * z) * (t / 2 * sum - last + kErfc[0]) / (1 + 2 * z);
  return x < 0 ? 2 - tail : tail;
}

}  // namespace scrooge
