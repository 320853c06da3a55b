// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/conformance/shapes.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class NormalizeTest : public ConformanceTest<MatrixShape> {};

TEST_P(NormalizeTest, MatchesReferenceApartAndInPlace) {
  const int64_t rows = shape().rows, cols = shape().cols;
  SeededValues seeded(7);
  std::vector<float> x = seeded.bells(rows * cols);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) {
      float& value = x[static_cast<size_t>(r * cols + c)];
      if (r % 5 == 1) value *= 1e6f;
      if (r % 5 == 2) value *= 1e-6f;
      if (r % 5 == 3) value = 0;
      if (r % 5 == 4 && c == 0) value = 3000;  // a massive activation
    }
  }
  const std::vector<float> gamma_values = seeded.bells(cols);
  for (const float epsilon : {1e-6f, 1e-5f}) {
    for (const Layout layout : kLayouts) {
      for (const bool in_place : {false, true}) {
        SCOPED_TRACE(concat("epsilon ", epsilon, ", lead ", layout.lead, ", in place ", in_place));
        const Comparison result = compare([&](Device& device) {
          GuardedMatrix in(device, rows, cols, layout, x);
          GuardedMatrix out(device, rows, cols, layout);
          GuardedMatrix scale(device, 1, cols, layout, gamma_values);
          GuardedMatrix& y = in_place ? in : out;
          expect_ok(device.normalize({in.matrix(), y.matrix(), scale.vector(), epsilon}));
          return Outputs{{y.values()}, {}};
        });
        const std::vector<float>& expected = result.expected.matrices[0];
        // The mean carries f64 quality, so what is left is the root, a quotient and a product.
        EXPECT_TRUE(within(expected, result.actual.matrices[0], cols,
                           [&](size_t i) { return gamma(5) * std::fabs(expected[i]); }));
      }
    }
  }
}

SCROOGE_CONFORMANCE(NormalizeTest, MatrixShape, SCROOGE_MATRIX_SHAPES);

}  // namespace
}  // namespace scrooge::test
