// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class GramLossTest : public ConformanceTest<GroupShape> {};

TEST_P(GramLossTest, MatchesReferencePerRow) {
  const GroupShape s = shape();
  SeededValues seeded(26);
  const std::vector<float> a = seeded.bells(s.n * s.k, 0.05f);
  std::vector<float> b = a;
  for (float& value : b) value += 0.004f * seeded.bell();
  for (int64_t k = 0; k < s.k; ++k) b[static_cast<size_t>(k)] = a[static_cast<size_t>(k)];  // no error in row 0
  const std::vector<float> gram = correlated_gram(s.k, 27);
  std::vector<double> bounds;
  for (int64_t n = 0; n < s.n; ++n) {
    std::vector<double> e;
    for (int64_t k = 0; k < s.k; ++k) {
      const auto cell = static_cast<size_t>(n * s.k + k);
      e.push_back(static_cast<double>(a[cell]) - b[cell]);
    }
    bounds.push_back(gamma(2 * s.k + 8) * quadratic(e, e, gram, s.k, 0).magnitude);
  }
  for (const Layout layout : kLayouts) {
    SCOPED_TRACE(concat("lead ", layout.lead));
    const Comparison result = compare([&](Device& device) {
      GuardedMatrix ga(device, s.n, s.k, layout, a);
      GuardedMatrix gb(device, s.n, s.k, layout, b);
      GuardedMatrix gg(device, s.k, s.k, layout, gram);
      Outputs out;
      out.numbers.assign(static_cast<size_t>(s.n), kNaN);
      expect_ok(device.gram_loss({ga.matrix(), gb.matrix(), gg.matrix(), out.numbers}));
      expect_ok(device.synchronize());
      return out;
    });
    EXPECT_TRUE(within(result.expected.numbers, result.actual.numbers, 1, [&](size_t i) { return bounds[i]; }));
    EXPECT_EQ(result.actual.numbers[0], 0);
  }
}

SCROOGE_CONFORMANCE(GramLossTest, GroupShape, SCROOGE_GROUP_SHAPES);

}  // namespace
}  // namespace scrooge::test
