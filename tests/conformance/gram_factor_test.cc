// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "tests/conformance/channel_orders.h"
#include "tests/conformance/group_cases.h"
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

struct FactorShape {
  int64_t k = 1;
  std::string name() const { return concat("k", k); }
};

class GramFactorTest : public ConformanceTest<FactorShape> {
 protected:
  Comparison factor(const std::vector<float>& gram, const std::vector<int32_t>& order, double damping, Layout layout) {
    const int64_t k = shape().k;
    return compare([&](Device& device) {
      GuardedMatrix in(device, k, k, layout, gram);
      GuardedMatrix factor(device, k, k, layout);
      bool definite = false;
      expect_ok(device.gram_factor({in.matrix(), factor.matrix(), order, damping, &definite}));
      EXPECT_TRUE(same_bytes(in.values(), gram)) << "gram was changed";
      if (!definite) return Outputs{{}, {0}};  // the factor is unspecified
      return Outputs{{factor.values()}, {1}};
    });
  }
};

// Row-major k by k, in steps: the gram with its damping.
std::vector<double> damped(const std::vector<float>& gram, const std::vector<int32_t>& order, double damping) {
  const size_t k = order.size();
  std::vector<double> h(k * k);
  double trace = 0;
  for (size_t i = 0; i < k; ++i) trace += gram[i * k + i];
  for (size_t i = 0; i < k; ++i) {
    for (size_t j = 0; j < k; ++j)
      h[i * k + j] = gram[static_cast<size_t>(order[i]) * k + static_cast<size_t>(order[j])];
    h[i * k + i] += damping * trace / static_cast<double>(k);
  }
  return h;
}

// a b, or a^T b.
std::vector<double> multiply(const std::vector<double>& a, const std::vector<double>& b, int64_t k, bool transpose) {
  std::vector<double> c(a.size());
  for (int64_t i = 0; i < k; ++i) {
    double* to = c.data() + i * k;
    for (int64_t p = 0; p < k; ++p) {
      const double factor = a[static_cast<size_t>(transpose ? p * k + i : i * k + p)];
      const double* row = b.data() + p * k;
      if (factor == 0) continue;
      for (int64_t j = 0; j < k; ++j) to[j] += factor * row[j];
    }
  }
  return c;
}

std::vector<double> magnitudes(std::vector<double> values) {
  for (double& value : values) value = std::fabs(value);
  return values;
}

// Each element of U is rounded to f32 once, so H (U^T U) may be off the identity by 2 units of |H| |U|^T |U|; the
// factorization itself, in f64 or nearly so, has the same allowance.
void check_inverse(const std::vector<double>& h, const std::vector<float>& factor, int64_t k) {
  std::vector<double> u(factor.begin(), factor.end());
  for (int64_t j = 0; j < k; ++j) std::fill_n(u.begin() + j * k, j, 0.0);
  const std::vector<double> product = multiply(h, multiply(u, u, k, true), k, false);
  const std::vector<double> size = magnitudes(u);
  const std::vector<double> sums = multiply(magnitudes(h), multiply(size, size, k, true), k, false);
  std::vector<double> identity(product.size());
  for (int64_t i = 0; i < k; ++i) identity[static_cast<size_t>(i * k + i)] = 1;
  EXPECT_TRUE(within(identity, product, k, [&](size_t i) { return 4 * kUnit * sums[i]; }));
}

void check_form(const std::vector<float>& factor, int64_t k) {
  for (int64_t j = 0; j < k; ++j) {
    ASSERT_GT(factor[static_cast<size_t>(j * k + j)], 0) << "pivot of step " << j;
    for (int64_t i = 0; i < j; ++i) {
      ASSERT_EQ(factor[static_cast<size_t>(i * k + j)], factor[static_cast<size_t>(j * k + i)]) << i << ", " << j;
    }
  }
}

// In the place of the Gram matrix the factor is the same.
TEST_P(GramFactorTest, MayTakeThePlaceOfTheGramMatrix) {
  const int64_t k = shape().k;
  const std::vector<float> gram = correlated_gram(k, 41);
  std::vector<float> broken = gram;
  broken[static_cast<size_t>((k / 2) * k + k / 2)] = -1;
  const std::pair<std::vector<int32_t>, Layout> cases[] = {
      {random_order(k, 42), kPacked}, {reversed_order(k), kStrided}, {identity_order(k), kPacked}};
  for (const auto& [order, layout] : cases) {
    SCOPED_TRACE(concat("first channel ", order[0]));
    const Comparison apart = factor(gram, order, 0.01, layout);
    const Comparison same = compare([&](Device& device) {
      GuardedMatrix in(device, k, k, layout, broken);
      bool definite = true;
      expect_ok(device.gram_factor({in.matrix(), in.matrix(), order, 0, &definite}));
      EXPECT_FALSE(definite);
      in.set(gram);
      expect_ok(device.gram_factor({in.matrix(), in.matrix(), order, 0.01, &definite}));
      return Outputs{{in.values()}, {definite ? 1.0 : 0.0}};
    });
    EXPECT_EQ(same.expected.matrices, apart.expected.matrices);
    EXPECT_EQ(same.actual.matrices, apart.actual.matrices);
    EXPECT_EQ(same.actual.numbers, apart.actual.numbers);
  }
}

// As wide as takes a backend more than one strip to put rows and columns in order; once is enough.
TEST_P(GramFactorTest, MayTakeThePlaceOfAWideGramMatrix) {
  const int64_t k = shape().k + 200;
  if (k < 600) return;
  const std::vector<float> gram = correlated_gram(k, 41);
  const std::vector<int32_t> order = random_order(k, 42);
  bool definite = false;
  GuardedMatrix in(tested(), k, k, kPacked, gram), out(tested(), k, k, kPacked, gram);
  expect_ok(tested().gram_factor({in.matrix(), out.matrix(), order, 0.01, &definite}));
  ASSERT_TRUE(definite);
  expect_ok(tested().gram_factor({in.matrix(), in.matrix(), order, 0.01, &definite}));
  EXPECT_EQ(in.values(), out.values());
}

TEST_P(GramFactorTest, FactorsTheInverseInAnyOrder) {
  const int64_t k = shape().k;
  const std::vector<float> gram = correlated_gram(k, 41);
  const std::pair<std::vector<int32_t>, Layout> cases[] = {
      {identity_order(k), kPacked}, {reversed_order(k), kStrided}, {random_order(k, 42), kPacked}};
  double damping = 0.01;
  for (const auto& [order, layout] : cases) {
    SCOPED_TRACE(concat("first channel ", order[0], ", damping ", damping));
    const Comparison result = factor(gram, order, damping, layout);
    for (const Outputs* outputs : {&result.expected, &result.actual}) {
      SCOPED_TRACE(outputs == &result.expected ? "the oracle" : "the tested backend");
      ASSERT_EQ(outputs->numbers[0], 1) << "not positive definite";
      check_form(outputs->matrices[0], k);
      check_inverse(damped(gram, order, damping), outputs->matrices[0], k);
    }
    damping /= 10;
  }
}

TEST_P(GramFactorTest, DeadChannelsLiveByTheDamping) {
  const int64_t k = shape().k;
  if (k < 2) return;
  std::vector<float> gram = correlated_gram(k, 43);
  for (int64_t i = 0; i < k; ++i) {
    for (const int64_t dead : {int64_t{0}, k / 2}) {
      gram[static_cast<size_t>(dead * k + i)] = gram[static_cast<size_t>(i * k + dead)] = 0;
    }
  }
  const std::vector<int32_t> order = random_order(k, 44);
  if (k > 2) {
    const Comparison result = factor(gram, order, 0.05, kPacked);
    ASSERT_EQ(result.actual.numbers[0], 1);
    check_form(result.actual.matrices[0], k);
    check_inverse(damped(gram, order, 0.05), result.actual.matrices[0], k);
  }
  EXPECT_EQ(factor(gram, order, 0, kPacked).actual.numbers[0], 0);
}

TEST_P(GramFactorTest, ReportsWhatIsNotPositiveDefinite) {
  const int64_t k = shape().k;
  const std::vector<int32_t> order = identity_order(k);
  for (const int64_t at : {int64_t{0}, k / 2, k - 1}) {
    for (const float wrong : {-1.0f, kNaN, HUGE_VALF}) {
      SCOPED_TRACE(concat("diagonal ", at, " is ", wrong));
      std::vector<float> gram = correlated_gram(k, 45);
      gram[static_cast<size_t>(at * k + at)] = wrong;
      const Comparison result = factor(gram, order, 0, kPacked);
      EXPECT_EQ(result.expected.numbers[0], 0);
      EXPECT_EQ(result.actual.numbers[0], 0);
    }
  }
}

SCROOGE_CONFORMANCE(GramFactorTest, FactorShape, {1}, {2}, {7}, {33}, {63}, {64}, {65}, {128}, {130}, {193}, {400});

}  // namespace
}  // namespace scrooge::test
