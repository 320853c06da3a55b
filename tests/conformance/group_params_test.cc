// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class GroupParamsTest : public ConformanceTest<GroupShape> {};

TEST_P(GroupParamsTest, EqualsReferenceExactly) {
  const GroupShape s = shape();
  const std::vector<float> w = awkward_weights(s, 1e30f, 21);
  for (const QuantSpec& spec : all_specs(s.g, kScaleTypes)) {
    for (const ClipCandidate clip : {ClipCandidate{1, 1}, ClipCandidate{0.7f, 0.9f}}) {
      for (const ClipRule rule : {ClipRule::kEnds, ClipRule::kAbsMax}) {
        const Layout layout = kLayouts[spec.bits % 2];
        SCOPED_TRACE(concat(spec_name(spec), ", high ratio ", clip.high_ratio, ", clip rule ", static_cast<int>(rule)));
        const int64_t groups = spec.groups(s.k);
        const Comparison result = compare([&](Device& device) {
          GuardedMatrix gw(device, s.n, s.k, layout, w);
          GuardedMatrix scales(device, s.n, groups, layout);
          GuardedMatrix zeros(device, s.n, groups, layout);
          expect_ok(device.group_params({gw.matrix(), scales.matrix(), zeros.matrix(), spec, clip, rule}));
          return Outputs{{scales.values(), zeros.values()}, {}};
        });
        ASSERT_TRUE(equal(result.expected.matrices[0], result.actual.matrices[0], groups)) << "scales";
        ASSERT_TRUE(equal(result.expected.matrices[1], result.actual.matrices[1], groups)) << "zeros";
      }
    }
  }
}

// The oracle itself against the definition.
TEST_P(GroupParamsTest, ReferenceFollowsTheDefinition) {
  const GroupShape s = shape();
  const std::vector<float> w = awkward_weights(s, 1e30f, 22);
  for (const QuantSpec& spec : all_specs(s.g, kFileScaleTypes)) {
    const int64_t groups = spec.groups(s.k);
    GuardedMatrix gw(reference(), s.n, s.k, kStrided, w);
    GuardedMatrix scales(reference(), s.n, groups, kStrided);
    GuardedMatrix zeros(reference(), s.n, groups, kStrided);
    expect_ok(reference().group_params({gw.matrix(), scales.matrix(), zeros.matrix(), spec, {}, ClipRule::kEnds}));
    const std::vector<float> scale_values = scales.values();
    const std::vector<float> zero_values = zeros.values();
    for (int64_t cell = 0; cell < s.n * groups; ++cell) {
      const int64_t begin = cell % groups * spec.group_length(s.k);
      const auto group = std::span(w).subspan(static_cast<size_t>(cell / groups * s.k + begin),
                                              static_cast<size_t>(std::min(spec.group_length(s.k), s.k - begin)));
      const GroupParams expected = expected_params(group, {}, ClipRule::kEnds, spec);
      ASSERT_EQ(scale_values[static_cast<size_t>(cell)], expected.scale) << spec_name(spec);
      ASSERT_EQ(zero_values[static_cast<size_t>(cell)], expected.zero) << spec_name(spec);
      ASSERT_GT(expected.scale, 0);
    }
  }
}

SCROOGE_CONFORMANCE(GroupParamsTest, GroupShape, SCROOGE_GROUP_SHAPES);

}  // namespace
}  // namespace scrooge::test
