// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class ScaleSearchLossTest : public ConformanceTest<GroupShape> {};

constexpr int64_t kCandidates = 4;

// Bound of each candidate's loss. D carries the f32 roundings of a quotient the size of w; products and sums follow.
std::vector<double> loss_bounds(const GroupShape& s, const QuantSpec& spec, Precision precision,
                                const std::vector<float>& w, const std::vector<float>& gram,
                                const std::vector<float>& candidates, const std::vector<float>& row_weight) {
  std::vector<double> bounds;
  std::vector<float> scaled;
  std::vector<double> d(static_cast<size_t>(s.k));
  std::vector<double> error(static_cast<size_t>(s.k));
  for (int64_t c = 0; c < kCandidates; ++c) {
    const float* scale = candidates.data() + c * s.k;
    double bound = 0;
    for (int64_t n = 0; n < s.n; ++n) {
      const float* row = w.data() + n * s.k;
      for (int64_t begin = 0; begin < s.k; begin += spec.group_length(s.k)) {
        const int64_t end = std::min(s.k, begin + spec.group_length(s.k));
        scaled.clear();
        for (int64_t k = begin; k < end; ++k) scaled.push_back(row[k] * scale[k]);
        const GroupParams params = expected_params(scaled, {}, ClipRule::kEnds, spec);
        for (int64_t k = begin; k < end; ++k) {
          const double quotient =
              rounded(scaled[static_cast<size_t>(k - begin)], params, spec) / static_cast<double>(scale[k]);
          d[static_cast<size_t>(k)] = quotient - row[k];
          error[static_cast<size_t>(k)] = 3 * kUnit * std::fabs(quotient) + kUnit * std::fabs(quotient - row[k]);
        }
      }
      const Quadratic q = quadratic(d, error, gram, s.k, 0);
      const double fast = precision == Precision::kFast ? kFastProduct : 0;
      bound += row_weight[static_cast<size_t>(n)] * (2.001 * q.sensitivity + (gamma(2 * s.k + 8) + fast) * q.magnitude);
    }
    bounds.push_back(bound);
  }
  return bounds;
}

TEST_P(ScaleSearchLossTest, MatchesReferenceAndItsChoice) {
  const GroupShape s = shape();
  SeededValues seeded(28);
  const std::vector<float> w = awkward_weights(s, 8, 29);
  const std::vector<float> gram = correlated_gram(s.k, 30);
  std::vector<float> candidates;
  for (int64_t c = 0; c < kCandidates; ++c) {
    for (int64_t k = 0; k < s.k; ++k) candidates.push_back(c == 0 ? 1.0f : seeded.uniform(0.3f, 3));
  }
  const std::vector<float> weights = seeded.uniforms(s.n, 0.5f, 2);
  const std::vector<float> ones(static_cast<size_t>(s.n), 1.0f);
  int turn = 0;
  for (const QuantSpec& spec : all_specs(s.g, kFileScaleTypes)) {
    // Every scheme once; layouts, weights and precisions take turns.
    const Layout layout = kLayouts[turn % 2];
    const bool weighted = turn / 2 % 2 == 1;
    const Precision precision = turn % 3 == 2 ? Precision::kFast : Precision::kExact;
    ++turn;
    SCOPED_TRACE(concat(spec_name(spec), ", lead ", layout.lead, ", weighted ", weighted, ", precision ",
                        static_cast<int>(precision)));
    const Comparison result = compare([&](Device& device) {
      GuardedMatrix gw(device, s.n, s.k, layout, w);
      GuardedMatrix gg(device, s.k, s.k, layout, gram);
      GuardedMatrix gc(device, kCandidates, s.k, layout, candidates);
      GuardedMatrix rows(device, 1, s.n, layout, weights);
      Outputs out;
      out.numbers.assign(kCandidates, kNaN);
      expect_ok(device.scale_search_loss(
          {gw.matrix(), gg.matrix(), gc.matrix(), spec, weighted ? rows.vector() : Vector{}, out.numbers, precision}));
      expect_ok(device.synchronize());
      return out;
    });
    const std::vector<double> bounds = loss_bounds(s, spec, precision, w, gram, candidates, weighted ? weights : ones);
    const std::vector<double>& expected = result.expected.numbers;
    ASSERT_TRUE(within(expected, result.actual.numbers, 1, [&](size_t i) { return bounds[i]; }));
    const auto best = static_cast<size_t>(std::min_element(expected.begin(), expected.end()) - expected.begin());
    bool separated = true;
    for (size_t c = 0; c < expected.size(); ++c) {
      if (c != best) separated = separated && expected[c] - expected[best] > bounds[c] + bounds[best];
    }
    const auto chosen = std::min_element(result.actual.numbers.begin(), result.actual.numbers.end());
    if (separated) {
      ASSERT_EQ(static_cast<size_t>(chosen - result.actual.numbers.begin()), best);
    }
  }
}

SCROOGE_CONFORMANCE(ScaleSearchLossTest, GroupShape, SCROOGE_GROUP_SHAPES);

}  // namespace
}  // namespace scrooge::test
