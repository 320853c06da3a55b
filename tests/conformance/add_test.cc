// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/conformance/shapes.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class AddTest : public ConformanceTest<MatrixShape> {};

TEST_P(AddTest, MatchesReference) {
  const int64_t rows = shape().rows, cols = shape().cols;
  SeededValues seeded(12);
  const std::vector<float> x = seeded.bells(rows * cols);
  const std::vector<float> y = seeded.bells(rows * cols, 10);
  for (const float alpha : {1.0f, -1.0f, 0.37f}) {
    for (const Layout layout : kLayouts) {
      SCOPED_TRACE(concat("alpha ", alpha, ", lead ", layout.lead));
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix gx(device, rows, cols, layout, x);
        GuardedMatrix gy(device, rows, cols, layout, y);
        expect_ok(device.add({gx.matrix(), gy.matrix(), alpha}));
        return Outputs{{gy.values()}, {}};
      });
      EXPECT_TRUE(within(result.expected.matrices[0], result.actual.matrices[0], cols, [&](size_t i) {
        return gamma(2) * (std::fabs(static_cast<double>(alpha) * x[i]) + std::fabs(y[i]));
      }));
    }
  }
}

SCROOGE_CONFORMANCE(AddTest, MatrixShape, SCROOGE_MATRIX_SHAPES);

}  // namespace
}  // namespace scrooge::test
