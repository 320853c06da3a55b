// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class ClipSearchTest : public ConformanceTest<GroupShape> {};

std::vector<ClipCandidate> candidates_of(ClipRule rule) {
  std::vector<ClipCandidate> candidates;
  if (rule == ClipRule::kAbsMax) {
    for (int i = 0; i < 10; ++i) candidates.push_back({1, 1 - static_cast<float>(i) / 20});
    return candidates;
  }
  for (const float high : {1.0f, 0.9f, 0.75f, 0.6f}) {
    for (const float low : {1.0f, 0.85f, 0.7f}) candidates.push_back({low, high});
  }
  return candidates;
}

// What one candidate does to one group: its parameters, its exact error, and how far f32 arithmetic may be from it.
struct Trial {
  GroupParams params;
  double error = 0;
  double bound = 0;
};

Trial try_candidate(std::span<const float> weights, ClipCandidate clip, ClipRule rule, const QuantSpec& spec,
                    const std::vector<float>& gram, int64_t k, int64_t begin) {
  Trial trial;
  trial.params = expected_params(weights, clip, rule, spec);
  std::vector<double> e;
  for (const float w : weights) e.push_back(static_cast<double>(rounded(w, trial.params, spec)) - w);
  const Quadratic q = quadratic(e, e, gram, k, begin);
  trial.error = q.value;
  trial.bound = gamma(2 * static_cast<int64_t>(weights.size()) + 8) * q.magnitude;
  return trial;
}

void check_group(const std::vector<Trial>& trials, float scale, float zero, float error) {
  const auto best =
      std::min_element(trials.begin(), trials.end(), [](const Trial& a, const Trial& b) { return a.error < b.error; });
  const auto chosen = std::find_if(trials.begin(), trials.end(), [&](const Trial& trial) {
    return trial.params.scale == scale && trial.params.zero == zero;
  });
  ASSERT_NE(chosen, trials.end()) << "scale " << scale << ", zero " << zero << " belong to no candidate";
  // A candidate separated from the best by more than both bounds can therefore never be chosen.
  ASSERT_LE(chosen->error, best->error + best->bound + chosen->bound)
      << "chose candidate " << chosen - trials.begin() << ", candidate " << best - trials.begin()
      << " is better beyond rounding; chosen error " << chosen->error << ", best " << best->error;
  ASSERT_NEAR(error, chosen->error, chosen->bound + kUnit * std::fabs(chosen->error)) << "error plane";
}

TEST_P(ClipSearchTest, ChoosesTheBestCandidateOfEachGroup) {
  const GroupShape s = shape();
  const std::vector<float> w = awkward_weights(s, 1e4f, 31);
  const std::vector<float> gram = correlated_gram(s.k, 32);
  int turn = 0;
  for (const QuantSpec& spec : all_specs(s.g, kFileScaleTypes)) {
    const int64_t length = spec.group_length(s.k);
    const int64_t groups = spec.groups(s.k);
    std::vector<float> blocks = gram;  // what lies outside the diagonal blocks must not matter
    for (int64_t i = 0; i < s.k; ++i) {
      for (int64_t j = 0; j < s.k; ++j) {
        if (i / length != j / length) blocks[static_cast<size_t>(i * s.k + j)] = kNaN;
      }
    }
    const Layout layout = kLayouts[turn++ % 2];
    for (const ClipRule rule : {ClipRule::kEnds, ClipRule::kAbsMax}) {
      SCOPED_TRACE(concat(spec_name(spec), ", lead ", layout.lead, ", clip rule ", static_cast<int>(rule)));
      const std::vector<ClipCandidate> candidates = candidates_of(rule);
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix gw(device, s.n, s.k, layout, w);
        GuardedMatrix gg(device, s.k, s.k, layout, blocks);
        GuardedMatrix scales(device, s.n, groups, layout);
        GuardedMatrix zeros(device, s.n, groups, layout);
        GuardedMatrix error(device, s.n, groups, layout);
        expect_ok(device.clip_search(
            {gw.matrix(), gg.matrix(), scales.matrix(), zeros.matrix(), error.matrix(), spec, candidates, rule}));
        return Outputs{{scales.values(), zeros.values(), error.values()}, {}};
      });
      std::vector<Trial> trials;
      for (int64_t cell = 0; cell < s.n * groups; ++cell) {
        SCOPED_TRACE(concat("row ", cell / groups, ", group ", cell % groups));
        const int64_t begin = cell % groups * length;
        const auto group = std::span(w).subspan(static_cast<size_t>(cell / groups * s.k + begin),
                                                static_cast<size_t>(std::min(length, s.k - begin)));
        trials.clear();
        for (const ClipCandidate clip : candidates) {
          trials.push_back(try_candidate(group, clip, rule, spec, gram, s.k, begin));
        }
        for (const Outputs* outputs : {&result.expected, &result.actual}) {
          SCOPED_TRACE(outputs == &result.expected ? "the oracle" : "the tested backend");
          const auto i = static_cast<size_t>(cell);
          check_group(trials, outputs->matrices[0][i], outputs->matrices[1][i], outputs->matrices[2][i]);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

SCROOGE_CONFORMANCE(ClipSearchTest, GroupShape, SCROOGE_GROUP_SHAPES);

}  // namespace
}  // namespace scrooge::test
