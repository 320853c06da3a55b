// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "src/awq/solve.h"
#include "tests/support/device_data.h"
#include "tests/unit/awq/solver_fixture.h"

namespace scrooge::awq {
namespace {

using backend::Matrix;
using backend::Precision;
using test::DeviceData;
using test::random_floats;

constexpr int64_t kTokens = 800;  // enough for the correction to carry over to others
constexpr int64_t kInputs = 64;
constexpr int64_t kRows = 24;

// Inputs of both streams, with channels that go together; those of one half are `loud` times the others'.
struct Tokens {
  Tokens(uint32_t seed, int64_t first_loud, float loud) : original(random_floats(kTokens * kInputs, seed)) {
    const std::vector<float> shared = random_floats(kTokens, seed + 100);
    for (size_t i = 0; i < original.size(); ++i) {
      original[i] += 2 * shared[i / kInputs];
      const auto channel = static_cast<int64_t>(i) % kInputs;
      if (channel >= first_loud && channel < first_loud + kInputs / 2) original[i] *= loud;
    }
    arriving = original;
    const std::vector<float> noise = random_floats(kTokens * kInputs, seed + 1, 0.05f);
    for (size_t i = 0; i < arriving.size(); ++i) arriving[i] += noise[i];
  }
  std::vector<float> original, arriving;
};

class Problem {
 public:
  explicit Problem(int bits)
      : w_(random_floats(kRows * kInputs, 2, 0.05f)),
        residual_(random_floats(kTokens * kRows, 3, 0.01f)),
        weight_(data_.matrix(w_, kRows, kInputs)),
        linear_{"test", &weight_} {
    SolveOptions options;
    options.spec.bits = bits;
    options.spec.group = 32;
    options.rounding = &kGptq;
    options.correct = 0.5;
    options.refine = 2;
    options.refit = 1;
    solver_ = std::make_unique<StageSolver>(data_, kRows, kInputs, options);
    auto statistics = calibration::StageStatistics::create(data_.device(), {kInputs, kRows * kInputs});
    EXPECT_TRUE(statistics.ok());
    statistics_ = std::make_unique<calibration::StageStatistics>(std::move(*statistics));
  }

  StageSolution solve(const Tokens& tokens) {
    collect(tokens);
    auto solution = (*solver_)->solve({&linear_, 1}, *statistics_, {});
    EXPECT_TRUE(solution.ok()) << solution.status().message();
    return std::move(*solution);
  }
  bool check(const Tokens& tokens, StageSolution& solution) {
    collect(tokens);
    const auto holds = (*solver_)->check({&linear_, 1}, *statistics_, solution);
    EXPECT_TRUE(holds.ok()) << holds.status().message();
    return *holds;
  }
  void fall_back(StageSolution& solution) { EXPECT_TRUE((*solver_)->fall_back({&linear_, 1}, solution).ok()); }
  std::vector<float> effective(const StageSolution& solution) { return effective_weight(data_, solution); }
  const std::vector<float>& weight() const { return w_; }

  // Squared error of x W'^T against x* W^T + r, straight from the tokens in f64.
  double error(const Tokens& tokens, const std::vector<float>& effective) const {
    double sum = 0;
    for (int64_t t = 0; t < kTokens; ++t) {
      for (int64_t n = 0; n < kRows; ++n) {
        double dot = -static_cast<double>(residual_[static_cast<size_t>(t * kRows + n)]);
        for (int64_t k = 0; k < kInputs; ++k) {
          const auto at = static_cast<size_t>(t * kInputs + k);
          const auto cell = static_cast<size_t>(n * kInputs + k);
          dot += static_cast<double>(tokens.arriving[at]) * static_cast<double>(effective[cell]) -
                 static_cast<double>(tokens.original[at]) * static_cast<double>(w_[cell]);
        }
        sum += dot * dot;
      }
    }
    return sum;
  }

 private:
  void collect(const Tokens& tokens) {
    const Matrix x = data_.matrix(tokens.arriving, kTokens, kInputs);
    EXPECT_TRUE(statistics_->reset(kInputs, kRows).ok());
    EXPECT_TRUE(statistics_->add(x, Precision::kExact).ok());
    std::vector<float> wrong = residual_;
    for (int64_t t = 0; t < kTokens; ++t) {
      for (int64_t n = 0; n < kRows; ++n) {
        for (int64_t k = 0; k < kInputs; ++k) {
          const auto at = static_cast<size_t>(t * kInputs + k);
          wrong[static_cast<size_t>(t * kRows + n)] +=
              (tokens.original[at] - tokens.arriving[at]) * w_[static_cast<size_t>(n * kInputs + k)];
        }
      }
    }
    EXPECT_TRUE(statistics_->add_error(x, data_.matrix(wrong, kTokens, kRows), Precision::kExact).ok());
    EXPECT_TRUE(statistics_->finish("test").ok());
  }

  DeviceData data_;
  const std::vector<float> w_, residual_;
  model::ResidentWeight weight_;
  LinearProblem linear_;
  std::unique_ptr<StageSolver> solver_;
  std::unique_ptr<calibration::StageStatistics> statistics_;
};

TEST(SolveCheck, HeldOutLossIsTheErrorBeyondTheUnquantizedLinears) {
  Problem problem(4);
  StageSolution solution = problem.solve(Tokens(10, 0, 8));
  const Tokens held_out(20, 0, 8);
  EXPECT_TRUE(problem.check(held_out, solution));
  const double unquantized = problem.error(held_out, problem.weight());
  const double direct = problem.error(held_out, problem.effective(solution)) - unquantized;
  EXPECT_NEAR(solution.linears[0].held_out_loss, direct, 1e-4 * (std::fabs(direct) + unquantized));
  EXPECT_LT(solution.linears[0].held_out_loss, solution.linears[0].held_out_loss_rtn);
  EXPECT_FALSE(solution.linears[0].overfit);
}

// Calibrated on one half of the channels, judged on the other.
TEST(SolveCheck, WhatOnlyFitsTheCalibrationTokensIsFoundAndFallsBack) {
  Problem problem(3);
  StageSolution solution = problem.solve(Tokens(10, 0, 1000));
  ASSERT_LT(solution.linears[0].loss, solution.linears[0].loss_rtn);
  const Tokens held_out(20, kInputs / 2, 1000);
  const double before = problem.error(held_out, problem.effective(solution));
  EXPECT_FALSE(problem.check(held_out, solution));
  EXPECT_TRUE(solution.linears[0].overfit);
  problem.fall_back(solution);
  EXPECT_TRUE(solution.fell_back);
  EXPECT_TRUE(solution.to_nearest);
  EXPECT_EQ(solution.choice.salience, ScaleCandidate::Salience::kIdentity);
  EXPECT_EQ(solution.choice.scale, std::vector<float>(kInputs, 1.0f));
  EXPECT_EQ(solution.linears[0].loss, solution.linears[0].loss_rtn);
  EXPECT_EQ(solution.linears[0].held_out_loss, solution.linears[0].held_out_loss_rtn);
  EXPECT_EQ(solution.linears[0].rounding, &kNearest);
  EXPECT_EQ(solution.damping, 0);
  const double after = problem.error(held_out, problem.effective(solution));
  EXPECT_LT(after, before);
  const double direct = after - problem.error(held_out, problem.weight());
  EXPECT_NEAR(solution.linears[0].held_out_loss_rtn, direct, 1e-3 * std::fabs(direct));
}

}  // namespace
}  // namespace scrooge::awq
