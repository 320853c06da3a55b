// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class DequantizeTest : public ConformanceTest<GroupShape> {};

TEST_P(DequantizeTest, EqualsReferenceExactly) {
  const GroupShape s = shape();
  SeededValues seeded(24);
  for (const QuantSpec& spec : all_specs(s.g, kFileScaleTypes)) {
    const int64_t groups = spec.groups(s.k);
    std::vector<float> codes(static_cast<size_t>(s.n * s.k));
    for (float& code : codes) code = static_cast<float>(seeded.below(spec.max_code() + 1));
    std::vector<float> zeros(static_cast<size_t>(s.n * groups));
    for (float& zero : zeros) {
      zero = static_cast<float>(spec.symmetric ? spec.symmetric_zero() : seeded.below(spec.max_code() + 1));
    }
    const std::vector<float> scales = seeded.uniforms(s.n * groups, 1e-7f, 0.3f);
    for (const Layout layout : kLayouts) {
      SCOPED_TRACE(concat(spec_name(spec), ", lead ", layout.lead));
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix gc(device, s.n, s.k, layout, codes, DType::kU8);
        GuardedMatrix gs(device, s.n, groups, layout, scales);
        GuardedMatrix gz(device, s.n, groups, layout, zeros);
        GuardedMatrix gw(device, s.n, s.k, layout);
        expect_ok(device.dequantize({gc.matrix(), gs.matrix(), gz.matrix(), gw.matrix(), spec}));
        return Outputs{{gw.values()}, {}};
      });
      ASSERT_TRUE(equal(result.expected.matrices[0], result.actual.matrices[0], s.k));
    }
  }
}

SCROOGE_CONFORMANCE(DequantizeTest, GroupShape, SCROOGE_GROUP_SHAPES);

}  // namespace
}  // namespace scrooge::test
