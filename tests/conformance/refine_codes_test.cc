// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class RefineCodesTest : public ConformanceTest<GroupShape> {
 protected:
  // Outputs: codes after, codes before, scales, zeros.
  Comparison refine(const std::vector<float>& w, const std::vector<float>& gram, const QuantSpec& spec, float ratio,
                    int sweeps, Layout layout) {
    const GroupShape s = shape();
    const int64_t groups = spec.groups(s.k);
    return compare([&](Device& device) {
      GuardedMatrix gw(device, s.n, s.k, layout, w);
      GuardedMatrix gg(device, s.k, s.k, layout, gram);
      GuardedMatrix scales(device, s.n, groups, layout);
      GuardedMatrix zeros(device, s.n, groups, layout);
      GuardedMatrix codes(device, s.n, s.k, layout, DType::kU8);
      expect_ok(device.group_params({gw.matrix(), scales.matrix(), zeros.matrix(), spec, {ratio, ratio}}));
      expect_ok(device.quantize({gw.matrix(), scales.matrix(), zeros.matrix(), codes.matrix(), spec}));
      const std::vector<float> before = codes.values();
      expect_ok(device.refine_codes(
          {gw.matrix(), codes.matrix(), scales.matrix(), zeros.matrix(), gg.matrix(), spec, sweeps}));
      EXPECT_TRUE(same_bytes(gw.values(), w)) << "w was changed";
      return Outputs{{codes.values(), before, scales.values(), zeros.values()}, {}};
    });
  }
};

// One row of codes on its way through the sweeps, in f64.
struct Row {
  std::span<const float> w, scales, zeros;
  const std::vector<float>& gram;
  int64_t k, length;

  double scale(int64_t c) const { return scales[static_cast<size_t>(c / length)]; }
  std::vector<double> errors(std::span<const float> codes) const {
    std::vector<double> e;
    for (int64_t c = 0; c < k; ++c) {
      const auto i = static_cast<size_t>(c);
      e.push_back((static_cast<double>(codes[i]) - zeros[static_cast<size_t>(c / length)]) * scale(c) - w[i]);
    }
    return e;
  }
  double loss(std::span<const float> codes) const {
    const std::vector<double> e = errors(codes);
    return quadratic(e, e, gram, k, 0).value;
  }
};

// Follows one sweep along the codes that were chosen: each must be the best integer given the codes before it, new, and
// those after it, old, but for what f32 sums may have moved the slope. This judges every code by itself.
void check_sweep(const Row& row, std::span<const float> before, std::span<const float> after, double top) {
  std::vector<float> codes(before.begin(), before.end());
  std::vector<double> e = row.errors(codes);
  for (int64_t c = 0; c < row.k; ++c) {
    const auto i = static_cast<size_t>(c);
    double slope = 0, sum = 0;
    for (int64_t j = 0; j < row.k; ++j) {
      const auto cell = static_cast<size_t>(j);
      const double weight = row.gram[static_cast<size_t>(c * row.k + j)];
      slope += weight * e[cell];
      // What e was made of, and what it was before the sweep moved it.
      const double moved = std::fabs(static_cast<double>(codes[cell]) - before[cell]) * row.scale(j);
      sum += std::fabs(weight) * (std::fabs(row.w[cell]) + std::fabs(e[cell]) + 2 * moved);
    }
    const double curvature = row.gram[static_cast<size_t>(c * row.k + c)] * row.scale(c);
    const double best = codes[i] - slope / curvature;
    const double slack = gamma(2 * row.k + 8) * sum / curvature + 1e-5 * std::fabs(best);
    ASSERT_TRUE(after[i] >= 0 && after[i] <= top);
    ASSERT_TRUE(after[i] == top || best <= after[i] + 0.5 + slack) << "channel " << c << ", best " << best;
    ASSERT_TRUE(after[i] == 0 || best >= after[i] - 0.5 - slack) << "channel " << c << ", best " << best;
    e[i] += (static_cast<double>(after[i]) - codes[i]) * row.scale(c);
    codes[i] = after[i];
  }
}

void for_rows(const Comparison& result, const std::vector<float>& w, const std::vector<float>& gram, GroupShape s,
              const QuantSpec& spec,
              const std::function<void(const Row&, std::span<const float>, std::span<const float>)>& check) {
  const int64_t groups = spec.groups(s.k);
  for (const Outputs* outputs : {&result.expected, &result.actual}) {
    SCOPED_TRACE(outputs == &result.expected ? "the oracle" : "the tested backend");
    for (int64_t n = 0; n < s.n; ++n) {
      SCOPED_TRACE(concat("row ", n));
      const auto part = [&](const std::vector<float>& m, int64_t cols) {
        return std::span(m).subspan(static_cast<size_t>(n * cols), static_cast<size_t>(cols));
      };
      const Row row{
          part(w, s.k),          part(outputs->matrices[2], groups), part(outputs->matrices[3], groups), gram, s.k,
          spec.group_length(s.k)};
      check(row, part(outputs->matrices[1], s.k), part(outputs->matrices[0], s.k));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST_P(RefineCodesTest, EveryCodeOfASweepIsTheBestWithTheOthersFixed) {
  const GroupShape s = shape();
  const std::vector<float> w = awkward_weights(s, 16, 71);
  const std::vector<float> gram = correlated_gram(s.k, 72);
  int turn = 0;
  for (const int bits : {2, 3, 4, 8}) {
    for (const bool symmetric : {false, true}) {
      const QuantSpec spec{bits, s.g, symmetric, DType::kF16};
      SCOPED_TRACE(spec_name(spec));
      const Comparison result = refine(w, gram, spec, symmetric ? 1.0f : 0.7f, 1, kLayouts[turn++ % 2]);
      for_rows(result, w, gram, s, spec,
               [&](const Row& row, auto before, auto after) { check_sweep(row, before, after, spec.max_code()); });
    }
  }
}

TEST_P(RefineCodesTest, SweepsNeverLoseAndEndWhereNothingMoves) {
  const GroupShape s = shape();
  const std::vector<float> w = SeededValues(73).bells(s.n * s.k, 0.05f);
  const std::vector<float> gram = correlated_gram(s.k, 74);
  const QuantSpec spec{3, s.g, false, DType::kF16};
  double before_sum = 0, after_sum = 0;
  const Comparison result = refine(w, gram, spec, 1.0f, 1000, kPacked);
  for_rows(result, w, gram, s, spec, [&](const Row& row, auto before, auto after) {
    ASSERT_LE(row.loss(after), row.loss(before) * (1 + 1e-6));
    ASSERT_NO_FATAL_FAILURE(check_sweep(row, after, after, spec.max_code())) << "more sweeps would still gain";
    before_sum += row.loss(before);
    after_sum += row.loss(after);
  });
  if (s.k < 127) return;  // short rows may be unlucky
  EXPECT_LT(after_sum, 0.9 * before_sum);
}

TEST_P(RefineCodesTest, StaysUnderAnIdentityGram) {
  const GroupShape s = shape();
  const std::vector<float> w = SeededValues(75).bells(s.n * s.k, 0.05f);
  std::vector<float> gram(static_cast<size_t>(s.k * s.k));
  for (int64_t i = 0; i < s.k; i += 2) gram[static_cast<size_t>(i * s.k + i)] = 1;  // every other channel never occurs
  const QuantSpec spec{4, s.g, false, DType::kF16};
  const Comparison result = refine(w, gram, spec, 1.0f, 3, kStrided);
  ASSERT_TRUE(equal(result.expected.matrices[1], result.expected.matrices[0], s.k));
  ASSERT_TRUE(equal(result.actual.matrices[1], result.actual.matrices[0], s.k));
}

SCROOGE_CONFORMANCE(RefineCodesTest, GroupShape, SCROOGE_GROUP_SHAPES);

}  // namespace
}  // namespace scrooge::test
