// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/conformance/shapes.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class ConvertTest : public ConformanceTest<MatrixShape> {};

TEST_P(ConvertTest, EveryPairOfTypesRoundsToNearestEven) {
  const int64_t rows = shape().rows, cols = shape().cols;
  SeededValues seeded(1);
  std::vector<float> values(static_cast<size_t>(rows * cols));
  for (size_t i = 0; i < values.size(); ++i) {
    // Every binade from below the f16 subnormals to above the f16 range, then the special values.
    values[i] = std::ldexp(seeded.uniform(1, 2), static_cast<int>(i % 50) - 28) * (i % 2 == 0 ? 1.0f : -1.0f);
    if (i % 11 == 10) {
      static constexpr float kSpecial[] = {0.0f,     -0.0f,      HUGE_VALF, -HUGE_VALF, 1.0009765625f * 0.5f + 0x1p-12f,
                                           65504.0f, 65519.996f, 65520.0f,  kNaN,       0x1p-25f,
                                           0x1p-24f, 1.00390625f};
      values[i] = kSpecial[seeded.below(std::size(kSpecial))];
    }
  }
  for (const DType from : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const DType to : {DType::kF32, DType::kF16, DType::kBF16}) {
      for (const Layout layout : kLayouts) {
        SCOPED_TRACE(concat(dtype_name(from), " to ", dtype_name(to), ", lead ", layout.lead));
        const Comparison result = compare([&](Device& device) {
          GuardedMatrix in(device, rows, cols, layout, values, from);
          GuardedMatrix out(device, rows, cols, layout, to);
          expect_ok(device.convert({in.matrix(), out.matrix()}));
          return Outputs{{out.values()}, {}};
        });
        EXPECT_TRUE(equal(result.expected.matrices[0], result.actual.matrices[0], cols));
      }
    }
  }
}

SCROOGE_CONFORMANCE(ConvertTest, MatrixShape, SCROOGE_MATRIX_SHAPES);

}  // namespace
}  // namespace scrooge::test
