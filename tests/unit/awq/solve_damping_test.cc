// SPDX-License-Identifier: Apache-2.0
// The ladder of damping: a Gram matrix that is not definite reaches the second rung, or none.
#include <gtest/gtest.h>

#include <cmath>

#include "src/awq/solve.h"
#include "tests/support/device_data.h"
#include "tests/unit/awq/solver_fixture.h"

namespace scrooge::awq {
namespace {

using test::DeviceData;
using test::random_floats;

constexpr int64_t kTokens = 80;
constexpr int64_t kInputs = 64;
constexpr int64_t kRows = 48;

// Solves a stage whose Gram matrix is the identity but for pairs of channels, which have 1 - `least` between them: its
// least eigenvalue is `least`.
class Problem {
 public:
  explicit Problem(double least) {
    auto made = calibration::StageStatistics::create(data.device(), {kInputs, kInputs * kInputs});
    EXPECT_TRUE(made.ok());
    statistics_ = std::make_unique<calibration::StageStatistics>(std::move(*made));
    EXPECT_TRUE(statistics_->reset(kInputs).ok());
    const backend::Matrix x = data.matrix(random_floats(kTokens * kInputs, 1), kTokens, kInputs);
    const backend::Matrix error = data.matrix(random_floats(kTokens * kInputs, 2, 0.1f), kTokens, kInputs);
    EXPECT_TRUE(statistics_->add(x, backend::Precision::kExact).ok());
    EXPECT_TRUE(statistics_->add_error(x, error, backend::Precision::kExact).ok());
    EXPECT_TRUE(statistics_->finish("test").ok());
    std::vector<float> gram(kInputs * kInputs, 0.0f);
    for (size_t k = 0; k < kInputs; ++k) {
      gram[k * kInputs + k] = 1;
      gram[k * kInputs + (k ^ 1)] = static_cast<float>(1 - least);
    }
    const backend::Matrix to = statistics_->gram();
    EXPECT_TRUE(data.device().upload(*to.buffer, to.offset, std::as_bytes(std::span(gram))).ok());
  }

  StageSolution solve(double correct = 0) {
    SolveOptions options;
    options.spec.bits = 3;
    options.spec.group = 32;
    options.grid = 0;
    options.rounding = &kGptq;
    options.correct = correct;
    model::ResidentWeight weight(data.matrix(random_floats(kRows * kInputs, 3, 0.05f), kRows, kInputs));
    const std::vector<LinearProblem> linears{{"one", &weight}, {"other", &weight}};
    const StageSolver solver(data, kRows, kInputs, options, linears.size());
    auto solution = solver->solve(linears, *statistics_, {});
    EXPECT_TRUE(solution.ok()) << solution.status().message();
    return std::move(*solution);
  }

  DeviceData data;

 private:
  std::unique_ptr<calibration::StageStatistics> statistics_;
};

TEST(SolveDamping, OnePercentIsTheFirstRung) {
  const StageSolution solution = Problem(0.02).solve();
  EXPECT_EQ(solution.damping, 0.01);
  EXPECT_FALSE(solution.broke_down);
  for (const LinearSolution& linear : solution.linears) EXPECT_EQ(linear.rounding, &kGptq);
}

TEST(SolveDamping, TenPercentIsTheSecond) {
  const StageSolution solution = Problem(-0.05).solve();
  EXPECT_EQ(solution.damping, 0.1);
  EXPECT_FALSE(solution.broke_down);
  for (const LinearSolution& linear : solution.linears) {
    EXPECT_EQ(linear.rounding, &kGptq);
    EXPECT_GT(linear.rows_rounded, 0);
  }
}

TEST(SolveDamping, BehindThatItIsRoundedToNearest) {
  const StageSolution solution = Problem(-0.5).solve();
  EXPECT_EQ(solution.damping, 0);
  EXPECT_TRUE(solution.broke_down);
  for (const LinearSolution& linear : solution.linears) {
    EXPECT_EQ(linear.rounding, &kNearest);
    EXPECT_EQ(linear.rows_rounded, 0);
    EXPECT_TRUE(std::isfinite(linear.loss));
  }
}

TEST(SolveDamping, ACorrectionNeedsItToo) {
  const StageSolution corrected = Problem(-0.05).solve(0.5);
  EXPECT_TRUE(corrected.corrected);
  EXPECT_FALSE(corrected.broke_down);
  const StageSolution solution = Problem(-0.5).solve(0.5);
  EXPECT_FALSE(solution.corrected);
  EXPECT_TRUE(solution.broke_down);
}

}  // namespace
}  // namespace scrooge::awq
