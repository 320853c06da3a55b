// SPDX-License-Identifier: Apache-2.0
#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

// Published arithmetic, worked out by hand and in double precision: AutoAWQ's clip search on one group of four.
constexpr float kWeights[] = {2, 0.11f, -0.23f, 0.37f};
constexpr float kTokens[2][4] = {{0.1f, 1, 1, 1}, {0.05f, -1, 1, 2}};
// Mean over the two tokens, for clip ratios 1 - i / 20.
constexpr double kErrors[] = {0.0382752, 0.0003404, 0.000024,  0.0007836, 0.0026194,
                              0.0055313, 0.0095193, 0.0029758, 0.0015489, 0.0180666};

class ClipVectorTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    MemoryBudget budget;
    const auto device = create_device(GetParam(), {1, &budget});
    if (device.status().code() == StatusCode::kUnavailable) {
      GTEST_SKIP() << GetParam() << " is unavailable: " << device.status().message();
    }
  }
  struct Winner {
    float scale, zero, error;
  };
  static Winner search(std::span<const ClipCandidate> candidates) {
    MemoryBudget budget;
    auto device = create_device(GetParam(), {1, &budget});
    EXPECT_TRUE(device.ok());
    std::vector<float> gram(16);
    for (const auto& token : kTokens) {
      for (size_t i = 0; i < 16; ++i) gram[i] += token[i / 4] * token[i % 4];
    }
    GuardedMatrix w(**device, 1, 4, kPacked, kWeights);
    GuardedMatrix g(**device, 4, 4, kPacked, gram);
    GuardedMatrix scales(**device, 1, 1);
    GuardedMatrix zeros(**device, 1, 1);
    GuardedMatrix error(**device, 1, 1);
    const QuantSpec spec{4, 0, false, DType::kF32, RangeRule::kMinMax};
    expect_ok((*device)->clip_search({w.matrix(), g.matrix(), scales.matrix(), zeros.matrix(), error.matrix(), spec,
                                      candidates, ClipRule::kAbsMax}));
    return {scales.values()[0], zeros.values()[0], error.values()[0] / 2};
  }
};

TEST_P(ClipVectorTest, ErrorOfEachCandidate) {
  for (int i = 0; i < 10; ++i) {
    const ClipCandidate candidate[] = {{1, 1 - static_cast<float>(i) / 20}};
    EXPECT_NEAR(search(candidate).error, kErrors[i], 1e-6) << "candidate " << i;
  }
}

TEST_P(ClipVectorTest, TheThirdCandidateWins) {
  std::vector<ClipCandidate> candidates;
  for (int i = 0; i < 10; ++i) candidates.push_back({1, 1 - static_cast<float>(i) / 20});
  const Winner winner = search(candidates);
  EXPECT_NEAR(winner.scale, (1.8 + 0.23) / 15, 1e-6);
  EXPECT_EQ(winner.zero, 2);
  EXPECT_NEAR(winner.error, kErrors[2], 1e-6);
}

std::vector<std::string> every_backend() {
  std::vector<std::string> names = backends_under_test();
  names.emplace_back("reference");
  return names;
}

INSTANTIATE_TEST_SUITE_P(Backends, ClipVectorTest, testing::ValuesIn(every_backend()),
                         [](const auto& test) { return test_name(test.param); });

}  // namespace
}  // namespace scrooge::test
