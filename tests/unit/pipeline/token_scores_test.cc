// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/token_scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace scrooge::pipeline {
namespace {

struct Direct {
  double nll = 0, kl = 0;
  int best = 0;
};

Direct direct(const std::vector<float>& l, const std::vector<float>& r, size_t target) {
  const auto log_z = [](const std::vector<float>& v) {
    double max = -1e30, sum = 0;
    for (const float x : v) max = std::max(max, static_cast<double>(x));
    for (const float x : v) sum += std::exp(static_cast<double>(x) - max);
    return max + std::log(sum);
  };
  Direct result;
  const double zl = log_z(l), zr = log_z(r);
  result.nll = zl - static_cast<double>(l[target]);
  for (size_t i = 0; i < l.size(); ++i) {
    const double lr = static_cast<double>(r[i]) - zr;
    result.kl += std::exp(lr) * (lr - (static_cast<double>(l[i]) - zl));
    if (l[i] > l[static_cast<size_t>(result.best)]) result.best = static_cast<int>(i);
  }
  return result;
}

TEST(TokenScore, SlicesAddUpToTheWholeRow) {
  std::mt19937 generator(3);
  std::normal_distribution<float> normal(0, 4);
  std::vector<float> l(1003), r(1003);
  for (size_t i = 0; i < l.size(); ++i) {
    l[i] = normal(generator);
    r[i] = l[i] + 0.3f * normal(generator);
  }
  const Direct expected = direct(l, r, 700);
  for (const size_t slice : {size_t{1003}, size_t{256}, size_t{17}, size_t{1}}) {
    TokenScore score;
    for (size_t first = 0; first < l.size(); first += slice) {
      const size_t count = std::min(slice, l.size() - first);
      score.add(std::span(l).subspan(first, count), std::span(r).subspan(first, count), static_cast<int32_t>(first),
                700);
    }
    EXPECT_NEAR(-score.log_likelihood(), expected.nll, 1e-5) << slice;
    EXPECT_NEAR(score.kl(), expected.kl, 1e-5 * (1 + expected.kl)) << slice;
    EXPECT_EQ(score.best, expected.best);
  }
}

TEST(TokenScore, EqualLogitsHaveNoDivergence) {
  const std::vector<float> l{1, 2, 3, -50, 80};
  TokenScore score;
  score.add(l, l, 0, 2);
  EXPECT_NEAR(score.kl(), 0, 1e-9);
  EXPECT_EQ(score.best, score.reference_best);
  EXPECT_NEAR(score.log_likelihood(), score.reference_log_likelihood(), 1e-9);
}

}  // namespace
}  // namespace scrooge::pipeline
