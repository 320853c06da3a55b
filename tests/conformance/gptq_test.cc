// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "tests/conformance/channel_orders.h"
#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

struct Problem {
  std::vector<float> w, gram;
  std::vector<int32_t> order;
  QuantSpec spec;
  float ratio = 1;  // of the ranges
};

class GptqTest : public ConformanceTest<GroupShape> {
 protected:
  // The factor comes from the oracle, so that all devices round by the same numbers.
  std::vector<float> factor(const Problem& problem) {
    const int64_t k = shape().k;
    GuardedMatrix gram(reference(), k, k, kPacked, problem.gram);
    bool definite = false;
    expect_ok(reference().gram_factor({gram.matrix(), gram.matrix(), problem.order, 0.01, &definite}));
    EXPECT_TRUE(definite);
    // What is above the diagonal is not to be read.
    std::vector<float> lower = gram.values();
    for (int64_t j = 0; j < k; ++j) std::fill(lower.begin() + j * k + j + 1, lower.begin() + (j + 1) * k, kNaN);
    return lower;
  }
  // Outputs: codes, scales, zeros, codes by round to nearest.
  Comparison round(const Problem& problem, const std::vector<float>& factor, Layout layout) {
    const GroupShape s = shape();
    const int64_t groups = problem.spec.groups(s.k);
    return compare([&](Device& device) {
      GuardedMatrix w(device, s.n, s.k, layout, problem.w);
      GuardedMatrix u(device, s.k, s.k, layout, factor);
      GuardedMatrix scales(device, s.n, groups, layout);
      GuardedMatrix zeros(device, s.n, groups, layout);
      GuardedMatrix codes(device, s.n, s.k, layout, DType::kU8);
      GuardedMatrix nearest(device, s.n, s.k, layout, DType::kU8);
      const ClipCandidate clip{problem.ratio, problem.ratio};
      expect_ok(device.group_params({w.matrix(), scales.matrix(), zeros.matrix(), problem.spec, clip}));
      expect_ok(device.quantize({w.matrix(), scales.matrix(), zeros.matrix(), nearest.matrix(), problem.spec}));
      expect_ok(device.gptq(
          {w.matrix(), scales.matrix(), zeros.matrix(), u.matrix(), codes.matrix(), problem.order, problem.spec}));
      EXPECT_TRUE(same_bytes(w.values(), problem.w)) << "w was changed";
      return Outputs{{codes.values(), scales.values(), zeros.values(), nearest.values()}, {}};
    });
  }
};

// In the order of the steps, K by K. An error d of the weight of step j changes that of step t by -d * weight(t, j);
// spread(t, j) is all that reaches step t of it, through the steps between them too: the inverse of (I + weight).
class Recurrence {
 public:
  Recurrence(const std::vector<float>& factor, size_t size) : size_(size), weight_(size * size), spread_(size * size) {
    for (size_t t = 0; t < size_; ++t) {
      spread_[t * size_ + t] = 1;
      for (size_t j = 0; j < t; ++j) {
        const double part = weight_[t * size_ + j] = static_cast<double>(factor[t * size_ + j]) / factor[j * size_ + j];
        for (size_t i = 0; i <= j; ++i) spread_[t * size_ + i] -= part * spread_[j * size_ + i];
      }
    }
  }
  size_t size() const { return size_; }
  double weight(size_t t, size_t j) const { return weight_[t * size_ + j]; }
  double spread(size_t t, size_t j) const { return spread_[t * size_ + j]; }

 private:
  size_t size_;
  std::vector<double> weight_, spread_;
};

// Follows one row in f64 along the codes that were chosen: each must be the nearest to the weight as the codes before
// it left it, but for what f32 arithmetic may have moved that weight. This judges every code by itself: of two right
// answers that differ in a near tie, all later codes may differ.
void check_row(const Problem& problem, const Recurrence& recurrence, const Outputs& outputs, int64_t n) {
  const auto k = static_cast<int64_t>(recurrence.size());
  const int64_t groups = problem.spec.groups(k);
  const double top = problem.spec.max_code();
  std::vector<double> difference, error;  // of each step: weight - value; what f32 may have added to the weight
  for (size_t t = 0; t < recurrence.size(); ++t) {
    const int64_t channel = problem.order[t];
    const auto cell = static_cast<size_t>(n * groups + channel / problem.spec.group_length(k));
    const double scale = outputs.matrices[1][cell];
    const double code = outputs.matrices[0][static_cast<size_t>(n * k + channel)];
    const double value = (code - outputs.matrices[2][cell]) * scale;
    double w = problem.w[static_cast<size_t>(n * k + channel)];
    double sum = std::fabs(w) + std::fabs(value);
    for (size_t j = 0; j < t; ++j) {
      const double part = difference[j] * recurrence.weight(t, j);
      w -= part;
      sum += std::fabs(part);
    }
    error.push_back(gamma(static_cast<int64_t>(t) + 8) * sum);
    double slack = 0;
    for (size_t j = 0; j <= t; ++j) slack += std::fabs(recurrence.spread(t, j)) * error[j];
    ASSERT_TRUE(code >= 0 && code <= top);
    ASSERT_TRUE(code == top || w <= value + scale / 2 + slack) << "row " << n << ", step " << t;
    ASSERT_TRUE(code == 0 || w >= value - scale / 2 - slack) << "row " << n << ", step " << t;
    difference.push_back(w - value);
  }
}

double total_loss(const Problem& problem, const Outputs& outputs, size_t codes, int64_t k) {
  const int64_t groups = problem.spec.groups(k);
  double sum = 0;
  for (int64_t n = 0; n * k < static_cast<int64_t>(problem.w.size()); ++n) {
    std::vector<double> d;
    for (int64_t c = 0; c < k; ++c) {
      const auto cell = static_cast<size_t>(n * groups + c / problem.spec.group_length(k));
      const auto i = static_cast<size_t>(n * k + c);
      d.push_back((static_cast<double>(outputs.matrices[codes][i]) - outputs.matrices[2][cell]) *
                      outputs.matrices[1][cell] -
                  problem.w[i]);
    }
    sum += quadratic(d, d, problem.gram, k, 0).value;
  }
  return sum;
}

TEST_P(GptqTest, EveryCodeIsNearestToWhatEarlierErrorsLeft) {
  const GroupShape s = shape();
  Problem problem{SeededValues(51).bells(s.n * s.k, 0.05f), correlated_gram(s.k, 52), {}, {}};
  const std::vector<int32_t> orders[] = {identity_order(s.k), random_order(s.k, 53)};
  for (size_t turn = 0; turn < 2; ++turn) {
    problem.order = orders[turn];
    problem.ratio = turn == 0 ? 1.0f : 0.7f;  // a clipped range leaves weights beyond both ends of the codes
    const std::vector<float> lower = factor(problem);
    const Recurrence recurrence(lower, problem.order.size());
    for (const int bits : {2, 3, 4, 8}) {
      for (const bool symmetric : {false, true}) {
        problem.spec = {bits, s.g, symmetric, DType::kF16};
        SCOPED_TRACE(concat(spec_name(problem.spec), ", order ", turn));
        const Comparison result = round(problem, lower, kLayouts[turn]);
        for (const Outputs* outputs : {&result.expected, &result.actual}) {
          SCOPED_TRACE(outputs == &result.expected ? "the oracle" : "the tested backend");
          for (int64_t n = 0; n < s.n && !HasFatalFailure(); ++n) check_row(problem, recurrence, *outputs, n);
        }
      }
    }
  }
}

TEST_P(GptqTest, LosesLessThanRoundToNearest) {
  const GroupShape s = shape();
  if (s.k < 127) return;  // short rows may be unlucky
  Problem problem{SeededValues(54).bells(s.n * s.k, 0.05f), correlated_gram(s.k, 55), identity_order(s.k), {}};
  problem.spec.group = s.g;
  const Comparison result = round(problem, factor(problem), kPacked);
  EXPECT_LT(total_loss(problem, result.actual, 0, s.k), 0.8 * total_loss(problem, result.actual, 3, s.k));
}

TEST_P(GptqTest, IsRoundToNearestUnderAnIdentityGram) {
  const GroupShape s = shape();
  Problem problem{awkward_weights(s, 1e4f, 56), {}, random_order(s.k, 57), {}};
  problem.gram.resize(static_cast<size_t>(s.k * s.k));
  for (int64_t i = 0; i < s.k; ++i) problem.gram[static_cast<size_t>(i * s.k + i)] = 1;
  const std::vector<float> lower = factor(problem);
  for (const int bits : {2, 3, 4, 8}) {
    for (const bool symmetric : {false, true}) {
      problem.spec = {bits, s.g, symmetric};
      problem.ratio = symmetric ? 1.0f : 0.6f;
      SCOPED_TRACE(spec_name(problem.spec));
      const Comparison result = round(problem, lower, kStrided);
      ASSERT_TRUE(equal(result.expected.matrices[3], result.expected.matrices[0], s.k));
      ASSERT_TRUE(equal(result.actual.matrices[3], result.actual.matrices[0], s.k));
    }
  }
}

SCROOGE_CONFORMANCE(GptqTest, GroupShape, SCROOGE_GROUP_SHAPES);

}  // namespace
}  // namespace scrooge::test
