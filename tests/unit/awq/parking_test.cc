// SPDX-License-Identifier: Apache-2.0
// One room for the Gram matrix and its factor, with files, against a room for each: every byte is the same.
#include <gtest/gtest.h>

#include <functional>

#include "src/awq/solve.h"
#include "tests/support/device_data.h"
#include "tests/support/temp_folder.h"

namespace scrooge::awq {
namespace {

using backend::Matrix;
using backend::Vector;
using calibration::SpilledMatrix;
using calibration::StageStatistics;
using calibration::StatisticsPart;
using test::DeviceData;
using test::random_floats;

constexpr int64_t kTokens = 60;  // fewer than inputs: without damping there is no factor
constexpr int64_t kInputs = 72;
constexpr int64_t kRows = 264;  // sampled

calibration::SpillPlace in_folder(const test::TempFolder& folder) {
  return {calibration::SpillPlace::Kind::kFile, folder.path(), nullptr, {}};
}

std::vector<float> gram_of(const std::vector<float>& x) {
  std::vector<float> gram(kInputs * kInputs);
  for (size_t i = 0; i < kInputs; ++i) {
    for (size_t j = 0; j < kInputs; ++j) {
      for (size_t t = 0; t < kTokens; ++t) gram[i * kInputs + j] += x[t * kInputs + i] * x[t * kInputs + j];
    }
  }
  return gram;
}

// What both rooms held, step by step. `spoil`: taken from the diagonal, as a share of its mean.
std::vector<std::vector<float>> steps(bool shared, float spoil) {
  const test::TempFolder folder;
  DeviceData data;
  std::vector<float> values = gram_of(random_floats(kTokens * kInputs, 1));
  float mean = 0;
  for (size_t i = 0; i < kInputs; ++i) mean += values[i * (kInputs + 1)] / kInputs;
  for (size_t i = 0; i < kInputs; ++i) values[i * (kInputs + 1)] -= spoil * mean;
  const Matrix gram = data.matrix(values, kInputs, kInputs);
  const auto vector = [&](float value) {
    const Matrix m = data.matrix(std::vector<float>(kInputs, value), 1, kInputs);
    return Vector{m.buffer, 0, kInputs, DType::kF32};
  };
  GramFactor::Files files;
  for (SpilledMatrix* file : {&files.gram, &files.factor}) {
    auto made = SpilledMatrix::create(data.device(), float_bytes(kInputs * kInputs), in_folder(folder), "test");
    EXPECT_TRUE(made.ok());
    *file = std::move(*made);
  }
  const std::vector<float> salience = random_floats(kInputs, 2);
  std::vector<float> s = random_floats(kInputs, 3);
  GramFactor factor(data.device());
  std::vector<std::vector<float>> seen;
  const auto ok = [](const Status& status) { ASSERT_TRUE(status.ok()) << status.message(); };
  ok(factor.begin(gram, shared ? gram : data.zeros(kInputs, kInputs), vector(0), shared ? &files : nullptr));
  ok(factor.compute(salience));
  EXPECT_TRUE(factor.ready());
  seen.push_back({static_cast<float>(factor.damping())});
  seen.push_back(data.read(factor.matrix()));
  ok(factor.keep_factor());
  ok(factor.need_gram());
  seen.push_back(data.read(gram));
  ok(factor.scale_factor(s));
  ok(factor.need_gram());
  ok(factor.scale_factor(s));
  seen.push_back(data.read(factor.matrix()));
  ok(factor.need_gram());
  ok(factor.need_factor());
  EXPECT_EQ(data.read(factor.matrix()), seen.back());
  ok(factor.scale_gram(vector(1 / 3.0f)));
  seen.push_back(data.read(gram));
  ok(factor.compute(salience));
  seen.push_back(data.read(factor.matrix()));
  ok(factor.need_gram());
  EXPECT_EQ(data.read(gram), seen[seen.size() - 2]);
  ok(factor.unscale_gram(vector(3)));
  seen.push_back(data.read(gram));
  ok(factor.compute(salience));
  ok(factor.need_gram());
  EXPECT_EQ(data.read(gram), seen.back());
  return seen;
}

TEST(GramFactor, MatrixAndFactorMayTakeTurnsInOneRoom) {
  for (const float spoil : {0.0f, 0.05f}) {
    const auto apart = steps(false, spoil);
    EXPECT_EQ(steps(true, spoil), apart);
    EXPECT_EQ(apart[0][0], spoil == 0 ? 0.01f : 0.1f);
  }
}

TEST(GramFactor, SaysWhenNoDampingIsEnough) {
  DeviceData data;
  std::vector<float> values(kInputs * kInputs);
  for (size_t i = 0; i < kInputs; ++i) values[i * (kInputs + 1)] = i == 7 ? -100.0f : 1.0f;
  const Matrix gram = data.matrix(values, kInputs, kInputs);
  const Matrix room = data.zeros(kInputs, kInputs);
  GramFactor factor(data.device());
  ASSERT_TRUE(factor.begin(gram, room, {room.buffer, 0, kInputs, DType::kF32}, nullptr).ok());
  ASSERT_TRUE(factor.compute(std::vector<float>(kInputs, 1.0f)).ok());
  EXPECT_FALSE(factor.ready());
}

struct Stage {
  size_t linears = 1;
  std::vector<float> x, error, w;
};

enum class Kept { kHeld, kParked, kOneByOne };

// Gathers what a solution follows from, and again what it is held against.
void gather(const Stage& stage, DeviceData& data, bool one_by_one, StageStatistics& statistics,
            const std::function<void()>& then) {
  const int64_t outputs = stage.linears == 1 ? kRows : 0;
  const Matrix x = data.matrix(stage.x, kTokens, kInputs);
  const Matrix error = data.matrix(stage.error, kTokens, outputs > 0 ? outputs : kInputs);
  const auto parts =
      one_by_one ? std::vector{StatisticsPart::kGram, StatisticsPart::kCorrection} : std::vector{StatisticsPart::kAll};
  for (const StatisticsPart part : parts) {
    EXPECT_TRUE(statistics.reset(kInputs, outputs, part).ok());
    if (statistics.holds_gram()) {
      EXPECT_TRUE(statistics.add(x, backend::Precision::kExact).ok());
    }
    if (part != StatisticsPart::kGram) {
      EXPECT_TRUE(statistics.add_error(x, error, backend::Precision::kExact).ok());
    }
    EXPECT_TRUE(statistics.finish("test").ok());
    then();
  }
}

// Everything that a solution is made of.
std::vector<double> solve(const Stage& stage, const SolveOptions& options, Kept kept) {
  const test::TempFolder folder;
  DeviceData data;
  const bool parked = kept != Kept::kHeld;
  const bool one_by_one = kept == Kept::kOneByOne;
  const int64_t correction_rows = stage.linears == 1 ? kRows : kInputs;
  const std::vector<LinearShape> shapes(stage.linears, LinearShape{kRows, kInputs});
  auto workspace = data.device().allocate(Solver::workspace_end(shapes, options, true, parked, one_by_one), "test");
  EXPECT_TRUE(workspace.ok());
  Solver::Parking parking;
  const auto open = [&](SpilledMatrix& file, int64_t rows) {
    auto made = SpilledMatrix::create(data.device(), float_bytes(rows * kInputs), in_folder(folder), "test");
    EXPECT_TRUE(made.ok());
    file = std::move(*made);
  };
  open(parking.matrices.gram, kInputs);
  open(parking.matrices.factor, kInputs);
  open(parking.target, kRows);
  Solver solver(data.device(), options, **workspace, parked ? &parking : nullptr);
  auto statistics = StageStatistics::create(data.device(), {kInputs, correction_rows * kInputs}, **workspace);
  EXPECT_TRUE(statistics.ok());
  std::vector<std::unique_ptr<model::ResidentWeight>> weights;
  std::vector<LinearProblem> problems;
  for (size_t i = 0; i < stage.linears; ++i) {
    const auto w = std::span(stage.w).subspan(i * kRows * kInputs, kRows * kInputs);
    weights.push_back(std::make_unique<model::ResidentWeight>(data.matrix(w, kRows, kInputs)));
    problems.push_back({"test", weights.back().get()});
  }
  StageSolution solution;
  gather(stage, data, one_by_one, *statistics, [&] {
    if (!statistics->has_original()) {
      EXPECT_TRUE(solver.park_gram(*statistics).ok());
      return;
    }
    auto solved = solver.solve(problems, *statistics, {});
    ASSERT_TRUE(solved.ok()) << solved.status().message();
    solution = std::move(*solved);
  });
  EXPECT_TRUE(solution.corrected);
  gather(stage, data, one_by_one, *statistics, [&] {
    const auto checked = statistics->holds_gram() ? solver.check(problems, *statistics, solution)
                                                  : solver.check_further(problems, *statistics, solution);
    EXPECT_TRUE(checked.ok() && (*checked || !statistics->has_original()));
  });
  std::vector<double> all(solution.choice.scale.begin(), solution.choice.scale.end());
  all.insert(all.end(), {solution.loss_choice, solution.loss_identity, solution.damping});
  for (const LinearSolution& linear : solution.linears) {
    EXPECT_GT(linear.rows_rounded, 0);
    const std::vector<float> scales = data.read(linear.quantized.scales());
    const std::vector<float> zeros = data.read(linear.quantized.zeros());
    std::vector<uint8_t> codes(kRows * kInputs);
    EXPECT_TRUE(
        data.device().download(*linear.quantized.codes_buffer, 0, std::as_writable_bytes(std::span(codes))).ok());
    all.insert(all.end(), scales.begin(), scales.end());
    all.insert(all.end(), zeros.begin(), zeros.end());
    all.insert(all.end(), codes.begin(), codes.end());
    all.insert(all.end(), {linear.loss, linear.loss_rtn, linear.held_out_loss, linear.held_out_loss_rtn});
  }
  return all;
}

TEST(Parking, NothingOfTheSolutionChanges) {
  SolveOptions options;
  options.spec.group = 32;
  options.spec.bits = 3;
  options.rounding = &kGptq;
  options.correct = 0.5;
  options.refine = 2;
  options.refit = 1;
  for (const size_t linears : {1, 2}) {
    Stage stage{linears, random_floats(kTokens * kInputs, 11), {}, {}};
    for (size_t i = 0; i < stage.x.size(); ++i) {
      if (i % kInputs == 5 || i % kInputs == 33) stage.x[i] *= 30;  // so that a scale is worth its while
    }
    stage.error = random_floats(static_cast<size_t>(kTokens * (linears == 1 ? kRows : kInputs)), 12, 0.1f);
    stage.w = random_floats(linears * kRows * kInputs, 13, 0.05f);
    const std::vector<double> held = solve(stage, options, Kept::kHeld);
    EXPECT_EQ(solve(stage, options, Kept::kParked), held) << linears;
    if (linears == 1) {
      EXPECT_EQ(solve(stage, options, Kept::kOneByOne), held);
    }
    EXPECT_NE(held[5], 1) << "the identity was taken";
  }
}

}  // namespace
}  // namespace scrooge::awq
