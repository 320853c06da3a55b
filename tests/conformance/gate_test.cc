// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/conformance/shapes.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class GateTest : public ConformanceTest<MatrixShape> {};

TEST_P(GateTest, MatchesReferenceApartAndInPlace) {
  const int64_t rows = shape().rows, cols = shape().cols;
  SeededValues seeded(11);
  std::vector<float> a = seeded.bells(rows * cols, 3);
  const std::vector<float> b = seeded.bells(rows * cols);
  for (size_t i = 0; i < a.size(); i += 7) a[i] *= i % 2 == 0 ? 100.0f : 1e-4f;  // where exp overflows, and near zero
  for (const Activation activation :
       {Activation::kSilu, Activation::kGeluTanh, Activation::kGeluErf, Activation::kRelu}) {
    for (const int place : {0, 1, 2}) {  // y apart, y is a, y is b
      const Layout layout = kLayouts[place % 2];
      SCOPED_TRACE(concat("activation ", static_cast<int>(activation), ", place ", place));
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix ga(device, rows, cols, layout, a);
        GuardedMatrix gb(device, rows, cols, layout, b);
        GuardedMatrix gy(device, rows, cols, layout);
        GuardedMatrix& y = place == 0 ? gy : place == 1 ? ga : gb;
        expect_ok(device.gate({ga.matrix(), gb.matrix(), y.matrix(), activation}));
        return Outputs{{y.values()}, {}};
      });
      // 1 + tanh and 1 + erf cancel for negative a, so the bound is relative to |a b|, not to the result.
      EXPECT_TRUE(within(result.expected.matrices[0], result.actual.matrices[0], cols,
                         [&](size_t i) { return gamma(8) * std::fabs(static_cast<double>(a[i]) * b[i]); }));
    }
  }
}

SCROOGE_CONFORMANCE(GateTest, MatrixShape, SCROOGE_MATRIX_SHAPES);

}  // namespace
}  // namespace scrooge::test
