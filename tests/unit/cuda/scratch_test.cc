// SPDX-License-Identifier: Apache-2.0
// What the ops on a Gram matrix take beside it does not grow with its square.
#include <gtest/gtest.h>

#include "backends/cuda/ops/scratch_parts.h"

namespace scrooge::backend::cuda {
namespace {

constexpr int64_t kWide = 28672;  // the widest inputs of a 70B model
constexpr uint64_t kSquare = 4 * uint64_t{kWide} * uint64_t{kWide};

TEST(Scratch, OfTheFactorIsNoMatrix) {
  EXPECT_LT(gram_factor_scratch(kWide), kSquare / 8);
  EXPECT_LE(gram_factor_scratch(kWide), 2 * gram_factor_scratch(kWide / 2) + (64 << 10));
}

TEST(Scratch, OfASolutionIsBoundedForAnyNumberOfRows) {
  const uint64_t most = gram_solve_scratch(kWide, kWide);
  EXPECT_LT(most, kSquare / 8);
  EXPECT_EQ(gram_solve_scratch(1 << 20, kWide), most);
  EXPECT_LT(gram_solve_scratch(1, kWide), most);
}

}  // namespace
}  // namespace scrooge::backend::cuda
