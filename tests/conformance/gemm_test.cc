// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

struct GemmShape {
  int64_t t = 1, k = 1, n = 1;
  std::string name() const { return concat("t", t, "_k", k, "_n", n); }
};

class GemmTest : public ConformanceTest<GemmShape> {};

TEST_P(GemmTest, MatchesReferenceWithAndWithoutBiasAndBeta) {
  const int64_t t = shape().t, k = shape().k, n = shape().n;
  SeededValues seeded(2);
  const std::vector<float> x = seeded.bells(t * k);
  const std::vector<float> w = seeded.bells(n * k, 0.05f);
  const std::vector<float> bias = seeded.bells(n);
  const std::vector<float> y0 = seeded.bells(t * n);
  std::vector<double> products(static_cast<size_t>(t * n));  // sum over k of |x| |w|
  for (int64_t i = 0; i < t * n; ++i) {
    for (int64_t j = 0; j < k; ++j) {
      products[static_cast<size_t>(i)] +=
          std::fabs(static_cast<double>(x[static_cast<size_t>(i / n * k + j)]) * w[static_cast<size_t>(i % n * k + j)]);
    }
  }
  for (const Precision precision : {Precision::kExact, Precision::kFast}) {
    for (const bool with_bias : {false, true}) {
      for (const float beta : {0.0f, 1.0f}) {
        const Layout layout = with_bias ? kStrided : kPacked;
        SCOPED_TRACE(concat("precision ", static_cast<int>(precision), ", bias ", with_bias, ", beta ", beta));
        const Comparison result = compare([&](Device& device) {
          GuardedMatrix gx(device, t, k, layout, x);
          GuardedMatrix gw(device, n, k, layout, w);
          GuardedMatrix gb(device, 1, n, layout, bias);
          GuardedMatrix gy(device, t, n, layout);
          if (beta != 0) gy.set(y0);
          expect_ok(device.gemm(
              {gx.matrix(), gw.matrix(), gy.matrix(), with_bias ? gb.vector() : Vector{}, beta, precision}));
          return Outputs{{gy.values()}, {}};
        });
        EXPECT_TRUE(within(result.expected.matrices[0], result.actual.matrices[0], n, [&](size_t i) {
          const double added =
              (with_bias ? std::fabs(bias[i % static_cast<size_t>(n)]) : 0) + (beta != 0 ? std::fabs(y0[i]) : 0);
          const double fast = precision == Precision::kFast ? kFastProduct * products[i] : 0;
          return gamma(k + 3) * (products[i] + added) + fast;
        }));
      }
    }
  }
}

SCROOGE_CONFORMANCE(GemmTest, GemmShape, {1, 1, 1}, {0, 5, 3}, {1, 17, 3}, {3, 1, 31}, {17, 33, 65}, {31, 127, 33},
                    {65, 576, 17}, {127, 65, 257}, {131, 320, 129});

}  // namespace
}  // namespace scrooge::test
