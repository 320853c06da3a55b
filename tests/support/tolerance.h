// SPDX-License-Identifier: Apache-2.0
// Error bounds from shape, type and magnitudes, and comparisons that report the worst cell. A bound is a property of an
// op and its inputs; it never depends on which backend is tested.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace scrooge::test {

inline constexpr double kUnit = 0x1p-24;  // unit roundoff of f32
// Relative error of a product whose two factors were each rounded to bf16: 8 bits of significand, unit roundoff 2^-8.
inline constexpr double kFastProduct = 0x1p-7 + 0x1p-16;

// Higham's gamma_n: relative error, against the sum of magnitudes, of n chained f32 roundings in any order.
inline double gamma(int64_t n) { return static_cast<double>(n) * kUnit / (1 - static_cast<double>(n) * kUnit); }

// |actual - expected| <= bound(i) in every cell; a cell that is not finite must be so in both. bound takes the index.
template <typename T, typename Bound>
testing::AssertionResult within(const std::vector<T>& expected, const std::vector<T>& actual, int64_t cols,
                                const Bound& bound) {
  if (expected.size() != actual.size()) {
    return testing::AssertionFailure() << actual.size() << " elements, expected " << expected.size();
  }
  double worst = 0;
  size_t worst_cell = 0;
  size_t beyond = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double e = expected[i];
    const double a = actual[i];
    if (e == a || (std::isnan(e) && std::isnan(a))) continue;
    const double difference = std::fabs(a - e);
    const double limit = bound(i);
    double ratio = difference / limit;
    if (!(difference <= limit)) {
      ++beyond;
      if (std::isnan(ratio)) ratio = HUGE_VAL;
    }
    if (ratio > worst) {
      worst = ratio;
      worst_cell = i;
    }
  }
  if (beyond == 0) return testing::AssertionSuccess();
  const auto cell = static_cast<int64_t>(worst_cell);
  return testing::AssertionFailure() << beyond << " of " << expected.size() << " cells beyond tolerance; worst at row "
                                     << cell / cols << ", column " << cell % cols << ": got " << actual[worst_cell]
                                     << ", expected " << expected[worst_cell] << ", off by " << worst
                                     << " times the bound " << bound(worst_cell);
}

// The same value in every cell (-0 equals 0, NaN equals NaN).
template <typename T>
testing::AssertionResult equal(const std::vector<T>& expected, const std::vector<T>& actual, int64_t cols) {
  return within(expected, actual, cols, [](size_t) { return 0.0; });
}

template <typename T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

}  // namespace scrooge::test
