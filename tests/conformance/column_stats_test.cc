// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/conformance/shapes.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class ColumnStatsTest : public ConformanceTest<MatrixShape> {};

TEST_P(ColumnStatsTest, AddsToWhatIsThere) {
  const int64_t rows = shape().rows, cols = shape().cols;
  SeededValues seeded(5);
  const std::vector<float> x = seeded.bells(rows * cols, 3);
  const std::vector<float> start = seeded.uniforms(cols, 0, 2);
  std::vector<double> sums(static_cast<size_t>(cols));
  for (size_t i = 0; i < x.size(); ++i) sums[i % static_cast<size_t>(cols)] += std::fabs(x[i]);
  for (const Layout layout : kLayouts) {
    SCOPED_TRACE(concat("lead ", layout.lead));
    const Comparison result = compare([&](Device& device) {
      GuardedMatrix gx(device, rows, cols, layout, x);
      GuardedMatrix sum_abs(device, 1, cols, layout, start);
      GuardedMatrix sum(device, 1, cols, layout, start);
      GuardedMatrix max_abs(device, 1, cols, layout, start);
      expect_ok(device.column_stats({gx.matrix(), sum_abs.vector(), sum.vector(), max_abs.vector()}));
      return Outputs{{sum_abs.values(), sum.values(), max_abs.values()}, {}};
    });
    const auto bound = [&](size_t i) { return gamma(rows + 2) * (sums[i] + start[i]); };
    EXPECT_TRUE(within(result.expected.matrices[0], result.actual.matrices[0], cols, bound));
    EXPECT_TRUE(within(result.expected.matrices[1], result.actual.matrices[1], cols, bound));
    EXPECT_TRUE(equal(result.expected.matrices[2], result.actual.matrices[2], cols));
  }
}

TEST_P(ColumnStatsTest, EachOutputIsOptional) {
  const int64_t rows = shape().rows, cols = shape().cols;
  const std::vector<float> x = SeededValues(6).bells(rows * cols);
  const std::vector<float> start(static_cast<size_t>(cols), 0.0f);
  for (int present = 0; present < 8; ++present) {
    GuardedMatrix gx(tested(), rows, cols, kPacked, x);
    std::vector<std::unique_ptr<GuardedMatrix>> outputs;
    std::vector<Vector> vectors;
    for (int i = 0; i < 3; ++i) {
      outputs.push_back(std::make_unique<GuardedMatrix>(tested(), 1, cols, kPacked, start));
      vectors.push_back((present >> i & 1) != 0 ? outputs.back()->vector() : Vector{});
    }
    expect_ok(tested().column_stats({gx.matrix(), vectors[0], vectors[1], vectors[2]}));
    for (int i = 0; i < 3; ++i) {
      const std::vector<float> values = outputs[static_cast<size_t>(i)]->values();
      const bool touched = values != start;
      EXPECT_EQ(touched, (present >> i & 1) != 0 && rows > 0) << "output " << i << " of " << present;
    }
  }
}

SCROOGE_CONFORMANCE(ColumnStatsTest, MatrixShape, SCROOGE_MATRIX_SHAPES);

}  // namespace
}  // namespace scrooge::test
