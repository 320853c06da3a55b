// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/shapes.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class ScaleAxisTest : public ConformanceTest<MatrixShape> {};

TEST_P(ScaleAxisTest, IsOneCorrectlyRoundedProduct) {
  const int64_t rows = shape().rows, cols = shape().cols;
  SeededValues seeded(13);
  const std::vector<float> x = seeded.bells(rows * cols);
  for (const auto axis : {ScaleAxisParams::Axis::kColumns, ScaleAxisParams::Axis::kRows}) {
    const int64_t count = axis == ScaleAxisParams::Axis::kColumns ? cols : rows;
    const std::vector<float> s = seeded.uniforms(count, 0.1f, 8);
    for (const Layout layout : kLayouts) {
      for (const bool in_place : {false, true}) {
        SCOPED_TRACE(concat("axis ", static_cast<int>(axis), ", lead ", layout.lead, ", in place ", in_place));
        const Comparison result = compare([&](Device& device) {
          GuardedMatrix gx(device, rows, cols, layout, x);
          GuardedMatrix gy(device, rows, cols, layout);
          GuardedMatrix gs(device, 1, count, layout, s);
          GuardedMatrix& y = in_place ? gx : gy;
          expect_ok(device.scale_axis({gx.matrix(), y.matrix(), gs.vector(), axis}));
          return Outputs{{y.values()}, {}};
        });
        EXPECT_TRUE(equal(result.expected.matrices[0], result.actual.matrices[0], cols));
      }
    }
  }
}

SCROOGE_CONFORMANCE(ScaleAxisTest, MatrixShape, SCROOGE_MATRIX_SHAPES);

}  // namespace
}  // namespace scrooge::test
