// SPDX-License-Identifier: Apache-2.0
// A solution applied again from what is kept of it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/awq/solver_fixture.h"

namespace scrooge::awq {
namespace {

using test::DeviceData;
using test::random_floats;

constexpr int64_t kTokens = 96;
constexpr int64_t kInputs = 72;  // a ragged last group of 8 at g = 32
constexpr int64_t kRows = 40;

struct Case {
  int bits;
  bool symmetric;
  DType scales;
  float magnitude;  // of the weights
};

class SavedTest : public testing::TestWithParam<Case> {
 protected:
  // Two linears of one stage, one input channel loud.
  StageSolution solve(Solver& solver) {
    std::vector<float> x = random_floats(kTokens * kInputs, 1);
    for (size_t t = 0; t < kTokens; ++t) x[t * kInputs + 5] *= 30;
    auto statistics = calibration::StageStatistics::create(data_.device(), {kInputs, 0});
    EXPECT_TRUE(statistics.ok() && statistics->reset(kInputs).ok());
    EXPECT_TRUE(statistics->add(data_.matrix(x, kTokens, kInputs), backend::Precision::kExact).ok());
    EXPECT_TRUE(statistics->finish("test").ok());
    auto solution = solver.solve(problems_, *statistics, {});
    EXPECT_TRUE(solution.ok()) << solution.status().message();
    return std::move(*solution);
  }
  void SetUp() override {
    options_.spec.bits = GetParam().bits;
    options_.spec.symmetric = GetParam().symmetric;
    options_.spec.scale_dtype = GetParam().scales;
    options_.spec.group = 32;
    options_.keep_calibration = true;
    for (uint32_t i = 0; i < 2; ++i) {
      std::vector<float> w = random_floats(kRows * kInputs, 2 + i, GetParam().magnitude);
      // A group without a weight, and one of a single weight.
      for (size_t k = 0; k < 64; ++k) w[k] = k == 40 ? GetParam().magnitude : 0;
      weights_.push_back(std::make_unique<model::ResidentWeight>(data_.matrix(w, kRows, kInputs)));
      problems_.push_back({"test", weights_.back().get()});
    }
  }

  std::vector<uint8_t> codes(const QuantizedLinear& linear) {
    std::vector<uint8_t> result(static_cast<size_t>(linear.rows * linear.cols));
    EXPECT_TRUE(data_.device().download(*linear.codes_buffer, 0, std::as_writable_bytes(std::span(result))).ok());
    return result;
  }

  DeviceData data_;
  SolveOptions options_;
  std::vector<std::unique_ptr<model::ResidentWeight>> weights_;
  std::vector<LinearProblem> problems_;
};

TEST_P(SavedTest, TheSameScalesZerosAndCodesToTheBit) {
  const StageSolver solver(data_, kRows, kInputs, options_, 2);
  const StageSolution first = solve(*solver.operator->());
  ASSERT_EQ(first.inputs.tokens, static_cast<uint64_t>(kTokens));
  ASSERT_EQ(first.inputs.mean.size(), static_cast<size_t>(kInputs));
  std::vector<float> ratios;
  for (const auto& candidate : clip_candidates()) ratios.push_back(candidate.high_ratio);
  std::vector<SavedLinear> linears;
  for (const LinearSolution& linear : first.linears) {
    ASSERT_EQ(linear.clip_index.size(), static_cast<size_t>(kRows * 3));
    EXPECT_TRUE(std::any_of(linear.clip_index.begin(), linear.clip_index.end(), [](uint8_t c) { return c > 0; }));
    linears.push_back({linear.clip_index, ratios});
  }
  const auto second = solver->reapply(problems_, {first.choice.scale, first.inputs.mean, linears});
  ASSERT_TRUE(second.ok()) << second.status().message();
  EXPECT_EQ(second->choice.scale, first.choice.scale);
  for (size_t i = 0; i < first.linears.size(); ++i) {
    const QuantizedLinear& was = first.linears[i].quantized;
    const QuantizedLinear& is = second->linears[i].quantized;
    EXPECT_EQ(data_.read(is.scales()), data_.read(was.scales()));
    EXPECT_EQ(data_.read(is.zeros()), data_.read(was.zeros()));
    EXPECT_EQ(codes(is), codes(was));
  }
}

TEST_P(SavedTest, NothingIsKeptUnlessAskedFor) {
  options_.keep_calibration = false;
  const StageSolver solver(data_, kRows, kInputs, options_, 2);
  const StageSolution solution = solve(*solver.operator->());
  EXPECT_TRUE(solution.inputs.mean.empty());
  EXPECT_TRUE(solution.linears[0].clip_index.empty());
  EXPECT_FALSE(solution.linears[0].clip_histogram.empty());
}

// The last has scales below the smallest normal fp16 number, where several candidates share one.
INSTANTIATE_TEST_SUITE_P(Schemes, SavedTest,
                         testing::Values(Case{4, false, DType::kF16, 0.05f}, Case{3, true, DType::kF16, 0.05f},
                                         Case{4, false, DType::kBF16, 0.05f}, Case{2, false, DType::kF16, 0.05f},
                                         Case{4, false, DType::kF16, 2e-5f}));

}  // namespace
}  // namespace scrooge::awq
