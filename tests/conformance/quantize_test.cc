// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class QuantizeTest : public ConformanceTest<GroupShape> {};

TEST_P(QuantizeTest, CodesEqualReferenceExactly) {
  const GroupShape s = shape();
  const std::vector<float> w = awkward_weights(s, 1e30f, 23);
  for (const QuantSpec& spec : all_specs(s.g, kScaleTypes)) {
    // A clipped range leaves weights beyond both ends of the codes.
    for (const float ratio : {1.0f, 0.6f}) {
      const Layout layout = kLayouts[spec.symmetric ? 1 : 0];
      SCOPED_TRACE(concat(spec_name(spec), ", ratio ", ratio));
      const int64_t groups = spec.groups(s.k);
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix gw(device, s.n, s.k, layout, w);
        GuardedMatrix scales(device, s.n, groups, layout);
        GuardedMatrix zeros(device, s.n, groups, layout);
        GuardedMatrix codes(device, s.n, s.k, layout, DType::kU8);
        expect_ok(
            device.group_params({gw.matrix(), scales.matrix(), zeros.matrix(), spec, {ratio, ratio}, ClipRule::kEnds}));
        expect_ok(device.quantize({gw.matrix(), scales.matrix(), zeros.matrix(), codes.matrix(), spec}));
        return Outputs{{codes.values()}, {}};
      });
      ASSERT_TRUE(equal(result.expected.matrices[0], result.actual.matrices[0], s.k));
      for (const float code : result.actual.matrices[0]) ASSERT_LE(code, static_cast<float>(spec.max_code()));
    }
  }
}

SCROOGE_CONFORMANCE(QuantizeTest, GroupShape, SCROOGE_GROUP_SHAPES);

}  // namespace
}  // namespace scrooge::test
