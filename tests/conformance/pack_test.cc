// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/shapes.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class PackTest : public ConformanceTest<MatrixShape> {};

TEST_P(PackTest, BytesEqualReferenceForEveryBitCount) {
  const int64_t rows = shape().rows, cols = shape().cols;
  SeededValues seeded(25);
  for (int bits = 1; bits <= 8; ++bits) {
    std::vector<float> codes(static_cast<size_t>(rows * cols));
    for (float& code : codes) code = static_cast<float>(seeded.below(int64_t{1} << bits));
    const int64_t bytes = (cols * bits + 7) / 8;
    for (const Layout layout : kLayouts) {
      SCOPED_TRACE(concat(bits, " bits, lead ", layout.lead));
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix gc(device, rows, cols, layout, codes, DType::kU8);
        GuardedMatrix packed(device, rows, bytes, layout, DType::kU8);
        expect_ok(device.pack({gc.matrix(), packed.matrix(), bits}));
        return Outputs{{packed.values()}, {}};
      });
      ASSERT_TRUE(equal(result.expected.matrices[0], result.actual.matrices[0], bytes));
    }
  }
}

SCROOGE_CONFORMANCE(PackTest, MatrixShape, SCROOGE_MATRIX_SHAPES);

}  // namespace
}  // namespace scrooge::test
