// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

class RefitScalesTest : public ConformanceTest<GroupShape> {};

// One row of codes on its way through the sweep, in f64.
struct Row {
  std::span<const float> w, codes, zeros;
  int64_t k, length;

  double level(int64_t c) const {
    return static_cast<double>(codes[static_cast<size_t>(c)]) - zeros[static_cast<size_t>(c / length)];
  }
  std::vector<double> errors(std::span<const float> scales) const {
    std::vector<double> e;
    for (int64_t c = 0; c < k; ++c) {
      e.push_back(level(c) * scales[static_cast<size_t>(c / length)] - w[static_cast<size_t>(c)]);
    }
    return e;
  }
};

// Follows the sweep along the scales that were chosen: each must lie between the best scales for the slope's two ends,
// as far as f32 products may have moved it, or stay where an end is out of reach.
void check_row(const Row& row, const std::vector<float>& gram, std::span<const float> before,
               std::span<const float> after, DType dtype) {
  std::vector<float> scales(before.begin(), before.end());
  for (size_t g = 0; g < scales.size(); ++g) {
    const int64_t begin = static_cast<int64_t>(g) * row.length;
    const int64_t end = std::min(row.k, begin + row.length);
    const std::vector<double> e = row.errors(scales);
    double slope = 0, slope_sum = 0, curvature = 0, curvature_sum = 0;
    for (int64_t c = begin; c < end; ++c) {
      for (int64_t i = 0; i < row.k; ++i) {
        const double weight = row.level(c) * gram[static_cast<size_t>(c * row.k + i)];
        const double size = std::fabs(row.w[static_cast<size_t>(i)]) + std::fabs(e[static_cast<size_t>(i)]);
        slope += weight * e[static_cast<size_t>(i)];
        slope_sum += std::fabs(weight) * size;
        if (i < begin || i >= end) continue;
        curvature += weight * row.level(i);
        curvature_sum += std::fabs(weight * row.level(i));
      }
    }
    double bound = gamma(row.k + 8) * slope_sum;
    if (curvature > 0) bound += gamma(row.k + 8) * std::fabs(slope) * curvature_sum / curvature;
    const float one = refitted_scale(before[g], slope - bound, curvature, dtype);
    const float other = refitted_scale(before[g], slope + bound, curvature, dtype);
    if (after[g] == before[g]) {
      ASSERT_TRUE(std::min(one, other) <= before[g] && before[g] <= std::max(one, other)) << "group " << g << " stayed";
    } else {
      ASSERT_GT(curvature, 0) << "group " << g << " has no levels but its zero";
      const auto least = static_cast<float>(std::max(0.0, before[g] - (slope + bound) / curvature));
      const auto most = static_cast<float>(before[g] - (slope - bound) / curvature);
      ASSERT_GE(after[g], std::max(round_scale(least, dtype), before[g] / 2)) << "group " << g << ", was " << before[g];
      ASSERT_LE(after[g], std::min(round_scale(most, dtype), before[g] * 2)) << "group " << g << ", was " << before[g];
    }
    ASSERT_EQ(round_scale(after[g], dtype), after[g]) << "not representable";
    scales[g] = after[g];
  }
}

TEST_P(RefitScalesTest, MovesEveryScaleToTheLeastLoss) {
  const GroupShape s = shape();
  std::vector<float> w = awkward_weights(s, 16, 61);
  std::fill(w.begin(), w.begin() + s.k, 0.0f);  // no levels in row 0
  const std::vector<float> gram = correlated_gram(s.k, 62);
  int turn = 0;
  bool moved = false;
  for (const int bits : {2, 3, 4, 8}) {
    for (const bool symmetric : {false, true}) {
      const DType dtype = kScaleTypes[turn % 3];
      const QuantSpec spec{bits, s.g, symmetric, dtype};
      const Layout layout = kLayouts[turn++ % 2];
      SCOPED_TRACE(concat(spec_name(spec), ", lead ", layout.lead));
      const int64_t groups = spec.groups(s.k);
      // Outputs: scales after, scales before, zeros, codes.
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix gw(device, s.n, s.k, layout, w);
        GuardedMatrix gg(device, s.k, s.k, layout, gram);
        GuardedMatrix scales(device, s.n, groups, layout);
        GuardedMatrix zeros(device, s.n, groups, layout);
        GuardedMatrix codes(device, s.n, s.k, layout, DType::kU8);
        expect_ok(device.group_params({gw.matrix(), scales.matrix(), zeros.matrix(), spec, {0.8f, 0.8f}}));
        expect_ok(device.quantize({gw.matrix(), scales.matrix(), zeros.matrix(), codes.matrix(), spec}));
        const std::vector<float> before = scales.values();
        expect_ok(
            device.refit_scales({gw.matrix(), codes.matrix(), zeros.matrix(), gg.matrix(), scales.matrix(), spec}));
        return Outputs{{scales.values(), before, zeros.values(), codes.values()}, {}};
      });
      for (const Outputs* outputs : {&result.expected, &result.actual}) {
        SCOPED_TRACE(outputs == &result.expected ? "the oracle" : "the tested backend");
        moved = moved || outputs->matrices[0] != outputs->matrices[1];
        for (int64_t n = 0; n < s.n; ++n) {
          SCOPED_TRACE(concat("row ", n));
          const auto part = [&](const std::vector<float>& m, int64_t cols) {
            return std::span(m).subspan(static_cast<size_t>(n * cols), static_cast<size_t>(cols));
          };
          const auto after = part(outputs->matrices[0], groups), before = part(outputs->matrices[1], groups);
          const Row row{part(w, s.k), part(outputs->matrices[3], s.k), part(outputs->matrices[2], groups), s.k,
                        spec.group_length(s.k)};
          check_row(row, gram, before, after, dtype);
          if (HasFatalFailure()) return;
          const std::vector<double> e = row.errors(before), f = row.errors(after);
          ASSERT_LE(quadratic(f, f, gram, s.k, 0).value, quadratic(e, e, gram, s.k, 0).value * (1 + 1e-6));
        }
      }
    }
  }
  EXPECT_TRUE(moved || s.n < 3 || s.k < 8);
}

SCROOGE_CONFORMANCE(RefitScalesTest, GroupShape, SCROOGE_GROUP_SHAPES);

}  // namespace
}  // namespace scrooge::test
