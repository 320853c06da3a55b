// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

struct GramShape {
  int64_t t = 1, m = 1, k = 1;
  std::string name() const { return concat("t", t, "_m", m, "_k", k); }
};

class GramAccumulateTest : public ConformanceTest<GramShape> {};

constexpr int kCalls = 3;

// Sum over t of |a| |b|, over all calls.
std::vector<double> magnitudes(const std::vector<float>& a, const std::vector<float>& b, const GramShape& s) {
  std::vector<double> sums(static_cast<size_t>(s.m * s.k));
  for (int64_t t = 0; t < s.t; ++t) {
    for (int64_t i = 0; i < s.m; ++i) {
      for (int64_t j = 0; j < s.k; ++j) {
        sums[static_cast<size_t>(i * s.k + j)] +=
            std::fabs(static_cast<double>(a[static_cast<size_t>(t * s.m + i)]) * b[static_cast<size_t>(t * s.k + j)]);
      }
    }
  }
  return sums;
}

TEST_P(GramAccumulateTest, GeneralFormAccumulatesOverCalls) {
  const GramShape s = shape();
  SeededValues seeded(3);
  const std::vector<float> a = seeded.bells(s.t * s.m);
  const std::vector<float> b = seeded.bells(s.t * s.k);
  const std::vector<float> start = seeded.bells(s.m * s.k);
  const std::vector<double> sums = magnitudes(a, b, s);
  for (const Precision precision : {Precision::kExact, Precision::kFast}) {
    for (const Layout layout : kLayouts) {
      SCOPED_TRACE(concat("precision ", static_cast<int>(precision), ", lead ", layout.lead));
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix ga(device, s.t, s.m, layout, a);
        GuardedMatrix gb(device, s.t, s.k, layout, b);
        GuardedMatrix gram(device, s.m, s.k, layout, start);
        for (int call = 0; call < kCalls; ++call) {
          const int64_t begin = s.t * call / kCalls;
          const int64_t count = s.t * (call + 1) / kCalls - begin;
          expect_ok(device.gram_accumulate({ga.matrix().row_range(begin, count), gb.matrix().row_range(begin, count),
                                            gram.matrix(), false, false, precision}));
        }
        return Outputs{{gram.values()}, {}};
      });
      EXPECT_TRUE(within(result.expected.matrices[0], result.actual.matrices[0], s.k, [&](size_t i) {
        const double fast = precision == Precision::kFast ? kFastProduct * sums[i] : 0;
        return gamma(s.t + 2 * kCalls) * (sums[i] + std::fabs(start[i])) + fast;
      }));
    }
  }
}

TEST_P(GramAccumulateTest, SymmetricFormIgnoresTheLowerTriangleUntilTheMirror) {
  const GramShape s{shape().t, shape().k, shape().k};
  SeededValues seeded(4);
  const std::vector<float> x = seeded.bells(s.t * s.k);
  std::vector<float> start = seeded.bells(s.k * s.k);
  for (int64_t i = 0; i < s.k; ++i) {
    for (int64_t j = 0; j < i; ++j) start[static_cast<size_t>(i * s.k + j)] = kNaN;
  }
  const std::vector<double> sums = magnitudes(x, x, s);
  for (const Precision precision : {Precision::kExact, Precision::kFast}) {
    for (const Layout layout : kLayouts) {
      SCOPED_TRACE(concat("precision ", static_cast<int>(precision), ", lead ", layout.lead));
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix gx(device, s.t, s.k, layout, x);
        GuardedMatrix gram(device, s.k, s.k, layout, start);
        for (int call = 0; call < kCalls; ++call) {
          const int64_t begin = s.t * call / kCalls;
          const Matrix part = gx.matrix().row_range(begin, s.t * (call + 1) / kCalls - begin);
          expect_ok(device.gram_accumulate({part, part, gram.matrix(), true, call == kCalls - 1, precision}));
        }
        return Outputs{{gram.values()}, {}};
      });
      const std::vector<float>& actual = result.actual.matrices[0];
      EXPECT_TRUE(within(result.expected.matrices[0], actual, s.k, [&](size_t i) {
        const size_t k = static_cast<size_t>(s.k);
        const size_t upper = std::min(i / k, i % k) * k + std::max(i / k, i % k);
        const double fast = precision == Precision::kFast ? kFastProduct * sums[upper] : 0;
        return gamma(s.t + 2 * kCalls) * (sums[upper] + std::fabs(start[upper])) + fast;
      }));
      for (int64_t i = 0; i < s.k; ++i) {
        for (int64_t j = 0; j < i; ++j) {
          ASSERT_EQ(actual[static_cast<size_t>(i * s.k + j)], actual[static_cast<size_t>(j * s.k + i)])
              << "row " << i << ", column " << j;
        }
      }
    }
  }
}

SCROOGE_CONFORMANCE(GramAccumulateTest, GramShape, {1, 1, 1}, {3, 17, 1}, {17, 3, 33}, {65, 31, 65}, {127, 33, 127},
                    {33, 65, 320});

}  // namespace
}  // namespace scrooge::test
