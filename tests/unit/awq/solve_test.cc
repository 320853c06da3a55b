// SPDX-License-Identifier: Apache-2.0
#include "src/awq/solve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "src/awq/fold.h"
#include "tests/support/device_data.h"
#include "tests/unit/awq/solver_fixture.h"

namespace scrooge::awq {
namespace {

using backend::Matrix;
using test::DeviceData;
using test::random_floats;

constexpr int64_t kTokens = 96;
constexpr int64_t kInputs = 72;  // a ragged last group of 8 at g = 32
constexpr int64_t kRows = 40;

// Inputs as real activations are: channels that go together, and a few loud ones.
std::vector<float> loud_inputs(uint32_t seed) {
  std::vector<float> x = random_floats(kTokens * kInputs, seed);
  const std::vector<float> shared = random_floats(kTokens, seed + 100);
  for (size_t i = 0; i < x.size(); ++i) x[i] += 2 * shared[i / kInputs];
  for (size_t i = 0; i < x.size(); ++i) {
    if (i % kInputs == 5 || i % kInputs == 33) x[i] *= 30;
  }
  return x;
}

// sum over tokens of |x (a - b)^T|^2, straight from the tokens in f64.
double token_loss(std::span<const float> x, std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (int64_t t = 0; t < kTokens; ++t) {
    for (int64_t n = 0; n < kRows; ++n) {
      double dot = 0;
      for (int64_t k = 0; k < kInputs; ++k) {
        const auto w = static_cast<size_t>(n * kInputs + k);
        dot += static_cast<double>(x[static_cast<size_t>(t * kInputs + k)]) *
               (static_cast<double>(a[w]) - static_cast<double>(b[w]));
      }
      sum += dot * dot;
    }
  }
  return sum;
}

struct Problem {
  explicit Problem(SolveOptions solve_options) : options(solve_options) {
    x = loud_inputs(1);
    w = random_floats(kRows * kInputs, 2, 0.05f);
    auto made = calibration::StageStatistics::create(data.device(), {kInputs, 0});
    EXPECT_TRUE(made.ok());
    statistics = std::make_unique<calibration::StageStatistics>(std::move(*made));
    EXPECT_TRUE(statistics->reset(kInputs).ok());
    EXPECT_TRUE(statistics->add(data.matrix(x, kTokens, kInputs), backend::Precision::kExact).ok());
    const Status finished = statistics->finish("test");
    EXPECT_TRUE(finished.ok()) << finished.message();
    weight = std::make_unique<model::ResidentWeight>(data.matrix(w, kRows, kInputs));
    linear = {"test", weight.get()};
  }
  StageSolution solve(const Ties& ties = {}) {
    const StageSolver solver(data, kRows, kInputs, options);
    auto solution = solver->solve({&linear, 1}, *statistics, ties);
    EXPECT_TRUE(solution.ok()) << solution.status().message();
    return std::move(*solution);
  }

  SolveOptions options;
  DeviceData data;
  std::vector<float> x, w;
  std::unique_ptr<calibration::StageStatistics> statistics;
  std::unique_ptr<model::ResidentWeight> weight;
  LinearProblem linear;
};

SolveOptions options_for(int bits, bool symmetric) {
  SolveOptions options;
  options.spec.bits = bits;
  options.spec.group = 32;
  options.spec.symmetric = symmetric;
  return options;
}

class SolveTest : public testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(SolveTest, LossFromStatisticsIsTheLossOverTokens) {
  Problem problem(options_for(std::get<0>(GetParam()), std::get<1>(GetParam())));
  const StageSolution solution = problem.solve();
  const double direct = token_loss(problem.x, effective_weight(problem.data, solution), problem.w);
  EXPECT_NEAR(solution.linears[0].loss, direct, 1e-4 * direct);
}

TEST_P(SolveTest, NeverWorseThanRoundToNearestAndBetterWithLoudChannels) {
  Problem problem(options_for(std::get<0>(GetParam()), std::get<1>(GetParam())));
  const StageSolution solution = problem.solve();
  EXPECT_LT(solution.linears[0].loss, 0.8 * solution.linears[0].loss_rtn);
  EXPECT_LE(solution.loss_choice, solution.loss_identity);
}

INSTANTIATE_TEST_SUITE_P(Schemes, SolveTest, testing::Combine(testing::Values(2, 3, 4), testing::Bool()));

TEST(Solve, TiedChannelsGetOneScale) {
  Problem problem(options_for(3, false));
  std::vector<int64_t> groups(kInputs);
  for (size_t k = 0; k < groups.size(); ++k) groups[k] = static_cast<int64_t>(k % 24);
  const StageSolution solution = problem.solve({groups, 24});
  for (size_t k = 24; k < groups.size(); ++k) EXPECT_EQ(solution.choice.scale[k], solution.choice.scale[k % 24]);
}

TEST(Solve, GridBelowTwoKeepsTheIdentity) {
  SolveOptions options = options_for(4, false);
  options.grid = 0;
  options.clip = false;
  Problem problem(options);
  const StageSolution solution = problem.solve();
  EXPECT_EQ(solution.choice.name(), "identity");
  EXPECT_NEAR(solution.linears[0].loss, solution.linears[0].loss_rtn, 1e-5 * solution.linears[0].loss_rtn);
}

TEST(Solve, ClipHistogramCountsEveryGroup) {
  Problem problem(options_for(3, false));
  const StageSolution solution = problem.solve();
  const LinearSolution& linear = solution.linears[0];
  ASSERT_GT(linear.rows_clipped, 0);
  uint32_t groups = 0;
  for (const uint32_t count : linear.clip_histogram) groups += count;
  EXPECT_EQ(groups, static_cast<uint32_t>(kRows * 3));
}

TEST(Rounding, NamesAreKnownAndOthersListThem) {
  for (const Rounding* rounding : all_roundings()) EXPECT_EQ(*find_rounding(rounding->name), rounding);
  const auto unknown = find_rounding("dice");
  EXPECT_EQ(unknown.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(unknown.status().message().find("gptq"), std::string_view::npos);
}

double loss_with(const Rounding& rounding, int refit, int bits, int refine = 0) {
  SolveOptions options = options_for(bits, false);
  options.rounding = &rounding;
  options.refit = refit;
  options.refine = refine;
  Problem problem(options);
  const StageSolution solution = problem.solve();
  // The kept loss is the loss of what is written.
  const double direct = token_loss(problem.x, effective_weight(problem.data, solution), problem.w);
  EXPECT_NEAR(solution.linears[0].loss, direct, 1e-4 * direct);
  return solution.linears[0].loss;
}

TEST(Rounding, EveryStepOnlyEverLowersTheLoss) {
  for (const int bits : {2, 3, 4}) {
    const double nearest = loss_with(kNearest, 0, bits);
    EXPECT_LE(loss_with(kHeuristic, 0, bits), nearest);
    const double gptq = loss_with(kGptq, 0, bits);
    EXPECT_LT(gptq, 0.9 * nearest) << bits;
    EXPECT_LE(loss_with(kGptq, 2, bits), gptq) << bits;
    const double refined = loss_with(kGptq, 0, bits, 4);
    EXPECT_LT(refined, gptq) << bits;
    EXPECT_LE(loss_with(kGptq, 2, bits, 4), loss_with(kGptq, 1, bits, 4)) << bits;
    EXPECT_LT(loss_with(kNearest, 0, bits, 4), 0.9 * nearest) << bits;
  }
}

// Flips bring the mean error of each row towards zero; inputs with a strong mean make it matter.
TEST(Rounding, HeuristicHelpsWhereInputsHaveAMean) {
  DeviceData data;
  std::vector<float> x = random_floats(kTokens * kInputs, 11, 0.3f);
  for (float& value : x) value += 1;
  const std::vector<float> w = random_floats(kRows * kInputs, 12, 0.05f);
  auto statistics = calibration::StageStatistics::create(data.device(), {kInputs, 0});
  ASSERT_TRUE(statistics.ok());
  ASSERT_TRUE(statistics->reset(kInputs).ok());
  ASSERT_TRUE(statistics->add(data.matrix(x, kTokens, kInputs), backend::Precision::kExact).ok());
  ASSERT_TRUE(statistics->finish("test").ok());
  model::ResidentWeight weight(data.matrix(w, kRows, kInputs));
  const LinearProblem linear{"test", &weight};
  double losses[2];
  for (const int use : {0, 1}) {
    SolveOptions options = options_for(4, false);
    options.rounding = use == 1 ? &kHeuristic : &kNearest;
    // The clip search sees the mean too and would cancel part of it first.
    options.clip = false;
    options.grid = 0;
    const StageSolver solver(data, kRows, kInputs, options);
    const auto solution = solver->solve({&linear, 1}, *statistics, {});
    ASSERT_TRUE(solution.ok());
    losses[use] = solution->linears[0].loss;
  }
  EXPECT_LT(losses[1], 0.5 * losses[0]);
}

// With arriving inputs X and original ones X*, the corrected weight comes nearer to the original output X* W^T.
TEST(Correction, AimsAtTheOriginalOutput) {
  const std::vector<float> original = random_floats(kTokens * kInputs, 21);
  std::vector<float> arriving = original;
  const std::vector<float> noise = random_floats(kTokens * kInputs, 22, 0.3f);
  for (size_t i = 0; i < arriving.size(); ++i) arriving[i] = 0.8f * arriving[i] + noise[i];
  const std::vector<float> w = random_floats(kRows * kInputs, 23, 0.05f);
  double errors[2];
  for (const int use : {0, 1}) {
    DeviceData data;
    auto statistics = calibration::StageStatistics::create(data.device(), {kInputs, kInputs * kInputs});
    ASSERT_TRUE(statistics.ok());
    ASSERT_TRUE(statistics->reset(kInputs).ok());
    const Matrix x = data.matrix(arriving, kTokens, kInputs);
    ASSERT_TRUE(statistics->add(x, backend::Precision::kExact).ok());
    std::vector<float> error = original;
    for (size_t i = 0; i < error.size(); ++i) error[i] -= arriving[i];
    ASSERT_TRUE(statistics->add_error(x, data.matrix(error, kTokens, kInputs), backend::Precision::kExact).ok());
    ASSERT_TRUE(statistics->finish("test").ok());
    SolveOptions options = options_for(8, false);
    options.correct = use;
    model::ResidentWeight weight(data.matrix(w, kRows, kInputs));
    const std::vector<LinearProblem> linears{{"one", &weight}, {"other", &weight}};
    const StageSolver solver(data, kRows, kInputs, options, 2);
    const auto solution = solver->solve(linears, *statistics, {});
    ASSERT_TRUE(solution.ok()) << solution.status().message();
    EXPECT_EQ(solution->corrected, use == 1);
    const std::vector<float> quantized = effective_weight(data, *solution);
    errors[use] = 0;
    for (int64_t t = 0; t < kTokens; ++t) {
      for (int64_t n = 0; n < kRows; ++n) {
        double dot = 0;
        for (int64_t k = 0; k < kInputs; ++k) {
          const auto at = static_cast<size_t>(t * kInputs + k);
          const auto wi = static_cast<size_t>(n * kInputs + k);
          dot += static_cast<double>(arriving[at]) * static_cast<double>(quantized[wi]) -
                 static_cast<double>(original[at]) * static_cast<double>(w[wi]);
        }
        errors[use] += dot * dot;
      }
    }
  }
  EXPECT_LT(errors[1], 0.6 * errors[0]);
}

// A linear of two tiles of rows, and the rows of the second one by themselves.
TEST(Solve, TilesOfRowsDoNotShow) {
  constexpr int64_t kWidth = 64;
  constexpr int64_t kLast = 72;
  const int64_t rows = model::tile_rows(kWidth) + kLast;
  DeviceData data;
  const std::vector<float> x = random_floats(kTokens * kWidth, 31);
  const Matrix w = data.matrix(random_floats(static_cast<size_t>(rows * kWidth), 32, 0.05f), rows, kWidth);
  SolveOptions options = options_for(3, false);
  options.rounding = &kGptq;
  options.refine = 1;
  options.refit = 1;
  options.grid = 0;  // a scale would depend on all rows
  std::vector<uint8_t> codes[2];
  double losses[2];
  for (const int alone : {0, 1}) {
    auto statistics = calibration::StageStatistics::create(data.device(), {kWidth, 0});
    ASSERT_TRUE(statistics.ok() && statistics->reset(kWidth).ok());
    ASSERT_TRUE(statistics->add(data.matrix(x, kTokens, kWidth), backend::Precision::kExact).ok());
    ASSERT_TRUE(statistics->finish("test").ok());
    model::ResidentWeight weight(alone == 1 ? w.row_range(rows - kLast, kLast) : w);
    const LinearProblem linear{"test", &weight};
    const StageSolver solver(data, weight.rows(), kWidth, options);
    const auto solution = solver->solve({&linear, 1}, *statistics, {});
    ASSERT_TRUE(solution.ok()) << solution.status().message();
    const QuantizedLinear& q = solution->linears[0].quantized;
    codes[alone].resize(static_cast<size_t>(kLast * kWidth));
    const Matrix last = q.codes().row_range(weight.rows() - kLast, kLast);
    ASSERT_TRUE(
        data.device().download(*last.buffer, last.offset, std::as_writable_bytes(std::span(codes[alone]))).ok());
    losses[alone] = solution->linears[0].loss;
    EXPECT_GT(solution->linears[0].rows_rounded, weight.rows() / 2);
  }
  EXPECT_EQ(codes[0], codes[1]);
  EXPECT_GT(losses[0], losses[1]);
}

TEST(FoldRows, ChangesScalesOnlyAndUndoesExactlyForPowersOfTwo) {
  Problem problem(options_for(4, false));
  StageSolution solution = problem.solve();
  QuantizedLinear& q = solution.linears[0].quantized;
  const std::vector<float> before = problem.data.read(q.scales());
  std::vector<float> s(kRows);
  for (size_t i = 0; i < s.size(); ++i) s[i] = i % 2 == 0 ? 2.0f : 0.5f;
  ASSERT_TRUE(fold_rows(problem.data.device(), s, q).ok());
  const std::vector<float> after = problem.data.read(q.scales());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i], before[i] / s[i / 3]);
}

// The published vectors of the scale formulas: m = [1, 4], w = [0.5, 1].
TEST(ScaleCandidates, MatchThePublishedFormulas) {
  const std::vector<float> mean_abs{1, 4};
  const std::vector<float> mean_square{1, 16};
  const std::vector<float> weight{0.5f, 1};
  const auto candidates = make_scale_candidates({mean_abs, mean_square, weight}, {}, 4);
  ASSERT_EQ(candidates.size(), 1u + 4 * 3);
  const auto expect = [&](size_t index, float a, float b) {
    EXPECT_NEAR(candidates[index].scale[0], a, 1e-5f) << index;
    EXPECT_NEAR(candidates[index].scale[1], b, 1e-5f) << index;
  };
  expect(0, 1, 1);
  expect(1, 0.84090f, 1.18921f);  // plain, alpha 0.25
  expect(2, 0.70711f, 1.41421f);  // plain, alpha 0.5
  expect(4, 1.09047f, 0.91704f);  // with the weight term, alpha 0.25
  expect(5, 0.84088f, 1.18923f);  // with the weight term, alpha 0.5
}

TEST(ScaleCandidates, SilentChannelsStayFinite) {
  const std::vector<float> zero{0, 0, 1};
  for (const auto& candidate : make_scale_candidates({zero, zero, zero}, {}, 20)) {
    for (const float s : candidate.scale) {
      EXPECT_TRUE(std::isfinite(s));
      EXPECT_GT(s, 0);
    }
  }
}

TEST(ScaleCandidates, WeakerOnesAreWholePowersDownToTheIdentity) {
  ScaleCandidate full;
  full.salience = ScaleCandidate::Salience::kRootMeanSquare;
  full.alpha = 0.5;
  full.scale = {4.0f, 0.25f};
  const ScaleCandidate half = full.weaker(0.5);
  EXPECT_FLOAT_EQ(half.scale[0], 2.0f);
  EXPECT_FLOAT_EQ(half.scale[1], 0.5f);
  EXPECT_EQ(half.name(), "rms^0.50");
  EXPECT_EQ(full.weaker(1).scale, full.scale);
  const ScaleCandidate none = full.weaker(0);
  EXPECT_EQ(none.name(), "identity");
  EXPECT_EQ(none.scale, (std::vector<float>{1, 1}));
}

TEST(WeightSalience, AveragesRowsRelativeToTheirGroup) {
  DeviceData data;
  const std::vector<float> w{1, -2, 4, 8, 2, 2, -1, 1};
  WeightSalience salience(4);
  QuantSpec spec;
  spec.group = 2;
  ASSERT_TRUE(salience.add(data.device(), data.matrix(w, 2, 4), spec).ok());
  const std::vector<float> mean = salience.mean();
  const float expected[] = {0.75f, 1, 0.75f, 1};
  for (size_t k = 0; k < 4; ++k) EXPECT_NEAR(mean[k], expected[k], 1e-5f);
}

}  // namespace
}  // namespace scrooge::awq
