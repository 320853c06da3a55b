// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "tests/conformance/channel_orders.h"
#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

struct SolveShape {
  int64_t n = 1, k = 1;
  std::string name() const { return concat("n", n, "_k", k); }
};

constexpr double kDamping = 0.01;

// x, a Gram matrix, and the oracle's factor of it, by which all devices solve.
class GramSolveTest : public ConformanceTest<SolveShape> {
 protected:
  void SetUp() override {
    ConformanceTest::SetUp();
    if (IsSkipped()) return;
    const int64_t n = shape().n, k = shape().k;
    x_ = SeededValues(71).bells(n * k);
    gram_ = correlated_gram(k, 72);
    order_ = random_order(k, 73);
    GuardedMatrix gram(reference(), k, k, kPacked, gram_);
    bool definite = false;
    expect_ok(reference().gram_factor({gram.matrix(), gram.matrix(), order_, kDamping, &definite}));
    ASSERT_TRUE(definite);
    factor_ = gram.values();
  }

  // y of rows [first, first + count).
  std::vector<float> solve(Device& device, int64_t first, int64_t count, Layout layout, bool in_place = false) {
    const int64_t k = shape().k;
    const std::span<const float> rows =
        std::span(x_).subspan(static_cast<size_t>(first * k), static_cast<size_t>(count * k));
    GuardedMatrix x(device, count, k, layout, rows);
    GuardedMatrix factor(device, k, k, layout, factor_);
    GuardedMatrix y(device, count, k, layout);
    expect_ok(device.gram_solve({x.matrix(), factor.matrix(), in_place ? x.matrix() : y.matrix(), order_}));
    EXPECT_TRUE(same_bytes(factor.values(), factor_)) << "the factor was changed";
    if (in_place) return x.values();
    EXPECT_TRUE(std::equal(rows.begin(), rows.end(), x.values().begin())) << "x was changed";
    return y.values();
  }

  // |x| |U|^T |U|, by which the sums of the op are bounded, in steps.
  std::vector<double> sums(const std::vector<double>& u) const {
    const size_t k = order_.size();
    std::vector<double> result(x_.size());
    for (size_t row = 0; row < x_.size(); row += k) {
      std::vector<double> half(k);
      for (size_t j = 0; j < k; ++j) {
        for (size_t i = j; i < k; ++i) half[j] += std::fabs(x_[row + static_cast<size_t>(order_[i])] * u[j * k + i]);
        for (size_t i = j; i < k; ++i) result[row + i] += half[j] * std::fabs(u[j * k + i]);
      }
    }
    return result;
  }

  std::vector<float> x_, gram_, factor_;
  std::vector<int32_t> order_;
};

// Two sums of up to k products in f32, one after the other.
TEST_P(GramSolveTest, MatchesReferenceAndUndoesTheGram) {
  const auto k = static_cast<size_t>(shape().k);
  const std::vector<double> u(factor_.begin(), factor_.end());
  const std::vector<double> in_steps = sums(u);
  std::vector<double> bound(in_steps.size());  // by channel
  for (size_t at = 0; at < bound.size(); ++at) {
    bound[at / k * k + static_cast<size_t>(order_[at % k])] = gamma(2 * shape().k + 3) * in_steps[at];
  }
  double mean = 0;
  for (size_t i = 0; i < k; ++i) mean += gram_[i * k + i] / static_cast<double>(k);
  for (const Layout layout : kLayouts) {
    const Comparison result = compare([&](Device& device) {
      return Outputs{{solve(device, 0, shape().n, layout)}, {}};
    });
    EXPECT_TRUE(
        within(result.expected.matrices[0], result.actual.matrices[0], shape().k, [&](size_t i) { return bound[i]; }));
    // y (gram + damping) is x again, but for the op's sums and for the factor, of which every element is rounded once.
    const std::vector<float>& y = result.actual.matrices[0];
    std::vector<float> back(y.size());
    std::vector<double> slack(y.size());
    for (size_t at = 0; at < y.size(); ++at) {
      const size_t row = at / k * k, column = at % k;
      double sum = 0;
      for (size_t i = 0; i < k; ++i) {
        const double h = gram_[i * k + column] + (i == column ? kDamping * mean : 0);
        sum += y[row + i] * h;
        slack[at] += (1 + 4 / static_cast<double>(2 * k + 3)) * bound[row + i] * std::fabs(h);
      }
      back[at] = static_cast<float>(sum);
      slack[at] += kUnit * std::fabs(sum);
    }
    EXPECT_TRUE(within(x_, back, shape().k, [&](size_t i) { return slack[i]; }));
  }
}

TEST_P(GramSolveTest, ARowIsTheSameWhateverComesWithIt) {
  const int64_t n = shape().n, k = shape().k;
  const std::vector<float> whole = solve(tested(), 0, n, kPacked);
  for (const auto& [first, count] : {std::pair(int64_t{0}, int64_t{1}), {n / 2, n - n / 2}, {n - 1, int64_t{1}}}) {
    const std::vector<float> part = solve(tested(), first, count, kPacked);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + first * k)) << "from row " << first;
  }
}

TEST_P(GramSolveTest, MayBeInPlace) {
  for (const Layout layout : kLayouts) {
    EXPECT_EQ(solve(tested(), 0, shape().n, layout, true), solve(tested(), 0, shape().n, layout));
  }
}

SCROOGE_CONFORMANCE(GramSolveTest, SolveShape, {1, 1}, {3, 7}, {150, 9}, {2, 33}, {70, 64}, {5, 65}, {33, 130},
                    {129, 200}, {300, 33}, {3, 400});

}  // namespace
}  // namespace scrooge::test
