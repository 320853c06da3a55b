// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/conformance/shapes.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class ReduceTest : public ConformanceTest<MatrixShape> {};

TEST_P(ReduceTest, SumsInDoublePrecision) {
  const int64_t rows = shape().rows, cols = shape().cols;
  SeededValues seeded(14);
  const std::vector<float> a = seeded.bells(rows * cols, 100);
  const std::vector<float> b = seeded.bells(rows * cols, 100);
  double products = 0;  // sum |a b|, for the dot product may cancel
  for (size_t i = 0; i < a.size(); ++i) products += std::fabs(static_cast<double>(a[i]) * b[i]);
  for (const auto kind :
       {ReduceParams::Kind::kSumSquares, ReduceParams::Kind::kSumSquaredDiff, ReduceParams::Kind::kDot}) {
    for (const Layout layout : kLayouts) {
      SCOPED_TRACE(concat("kind ", static_cast<int>(kind), ", lead ", layout.lead));
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix ga(device, rows, cols, layout, a);
        GuardedMatrix gb(device, rows, cols, layout, b);
        double total = kNaN;
        const bool two = kind != ReduceParams::Kind::kSumSquares;
        expect_ok(device.reduce({ga.matrix(), two ? gb.matrix() : Matrix{}, kind, &total}));
        expect_ok(device.synchronize());
        return Outputs{{}, {total}};
      });
      // Differences and squares may be f32; the sum may not.
      EXPECT_TRUE(within(result.expected.numbers, result.actual.numbers, 1, [&](size_t) {
        const bool dot = kind == ReduceParams::Kind::kDot;
        return gamma(3) * (dot ? products : result.expected.numbers[0]);
      }));
    }
  }
}

TEST_P(ReduceTest, CountsEveryNonFiniteElement) {
  const int64_t rows = shape().rows, cols = shape().cols;
  std::vector<float> a = SeededValues(15).bells(rows * cols);
  double expected = 0;
  for (size_t i = 0; i < a.size(); i += 5) {
    a[i] = i % 3 == 0 ? kNaN : i % 3 == 1 ? HUGE_VALF : -HUGE_VALF;
    ++expected;
  }
  for (size_t i = 1; i < a.size(); i += 5) a[i] = i % 2 == 0 ? 3.4e38f : -1e-45f;  // finite all the same
  for (const Layout layout : kLayouts) {
    const Comparison result = compare([&](Device& device) {
      GuardedMatrix ga(device, rows, cols, layout, a);
      double total = kNaN;
      expect_ok(device.reduce({ga.matrix(), {}, ReduceParams::Kind::kCountNonFinite, &total}));
      expect_ok(device.synchronize());
      return Outputs{{}, {total}};
    });
    EXPECT_EQ(result.actual.numbers[0], expected);
    EXPECT_EQ(result.expected.numbers[0], expected);
  }
}

SCROOGE_CONFORMANCE(ReduceTest, MatrixShape, SCROOGE_MATRIX_SHAPES);

}  // namespace
}  // namespace scrooge::test
