// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

struct RopeShape {
  int64_t batch = 1, length = 1, heads = 1, width = 2, half = 1;
  std::string name() const { return concat("b", batch, "_s", length, "_h", heads, "_d", width, "_r", 2 * half); }
};

class RopeTest : public ConformanceTest<RopeShape> {};

TEST_P(RopeTest, RotatesEachHeadByItsPositionInTheSequence) {
  const RopeShape s = shape();
  const int64_t rows = s.batch * s.length;
  const int64_t cols = s.heads * s.width;
  const std::vector<float> x = SeededValues(8).bells(rows * cols);
  std::vector<float> inv_freq;
  for (int64_t i = 0; i < s.half; ++i) {
    inv_freq.push_back(static_cast<float>(std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(s.half))));
  }
  for (const float magnitude : {1.0f, 1.19f}) {
    for (const Layout layout : kLayouts) {
      SCOPED_TRACE(concat("magnitude ", magnitude, ", lead ", layout.lead));
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix gx(device, rows, cols, layout, x);
        GuardedMatrix frequencies(device, 1, s.half, layout, inv_freq);
        expect_ok(device.rope({gx.matrix(), s.width, s.length, frequencies.vector(), magnitude}));
        return Outputs{{gx.values()}, {}};
      });
      EXPECT_TRUE(within(result.expected.matrices[0], result.actual.matrices[0], cols, [&](size_t cell) {
        const auto row = static_cast<int64_t>(cell) / cols;
        const int64_t i = static_cast<int64_t>(cell) % cols % s.width;
        if (i >= 2 * s.half) return 0.0;  // beyond the rotation width nothing is touched
        const size_t partner = i < s.half ? cell + static_cast<size_t>(s.half) : cell - static_cast<size_t>(s.half);
        const double angle = static_cast<double>(row % s.length) * inv_freq[static_cast<size_t>(i % s.half)];
        // The angle may be an f32 product; its rounding turns the pair.
        return magnitude * (std::fabs(x[cell]) + std::fabs(x[partner])) * (kUnit * angle + gamma(6));
      }));
    }
  }
}

SCROOGE_CONFORMANCE(RopeTest, RopeShape, {1, 1, 1, 2, 1}, {2, 17, 3, 32, 16}, {1, 127, 2, 64, 16}, {3, 31, 1, 33, 8},
                    {2, 65, 5, 128, 64}, {1, 601, 1, 17, 8});

}  // namespace
}  // namespace scrooge::test
