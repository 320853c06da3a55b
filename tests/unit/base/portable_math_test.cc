// SPDX-License-Identifier: Apache-2.0
#include "src/base/portable_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace scrooge {
namespace {

constexpr double kUnit = 0x1p-53;  // half a unit in the last place of a number just below 2

// How far `value` is from `expected`, in units of its last place.
double units(double value, double expected) {
  if (value == expected) return 0;
  int exponent = 0;
  std::frexp(expected, &exponent);
  return std::fabs(value - expected) / std::ldexp(1.0, exponent - 53);
}

class PortableMathTest : public testing::Test {
 protected:
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(random_() >> 11) * kUnit; }

 private:
  std::mt19937_64 random_{7};
};

TEST_F(PortableMathTest, ExponentialAndLogarithmAreWithinFourUnits) {
  for (int i = 0; i < 20000; ++i) {
    const double x = uniform(-700, 700);
    ASSERT_LE(units(portable_exp(x), std::exp(x)), 4) << x;
    const double near_one = uniform(0.5, 1.5);
    ASSERT_LE(units(portable_log(near_one), std::log(near_one)), 4) << near_one;
    const double wide = std::exp(uniform(-600, 600));
    ASSERT_LE(units(portable_log(wide), std::log(wide)), 4) << wide;
  }
}

TEST_F(PortableMathTest, PowerIsWithinFourUnitsForEachOfItsExponentInLogarithms) {
  for (int i = 0; i < 20000; ++i) {
    const double base = std::exp(uniform(-20, 20));
    const double exponent = uniform(-2, 2);
    const double allowed = 4 * std::max(1.0, std::fabs(exponent * std::log(base)));
    ASSERT_LE(units(portable_power(base, exponent), std::pow(base, exponent)), allowed) << base << " " << exponent;
  }
}

TEST_F(PortableMathTest, SineAndCosineAreWithinFourUnitsOfOne) {
  for (int i = 0; i < 20000; ++i) {
    const double limit = i % 2 == 0 ? 10 : 1e6;
    const double angle = uniform(-limit, limit);
    const SineCosine result = portable_sine_cosine(angle);
    ASSERT_NEAR(result.sine, std::sin(angle), 4 * kUnit) << angle;
    ASSERT_NEAR(result.cosine, std::cos(angle), 4 * kUnit) << angle;
  }
}

TEST_F(PortableMathTest, ComplementaryErrorFunctionKeepsItsSmallSideAccurate) {
  for (int i = 0; i < 20000; ++i) {
    const double x = uniform(-6, 20);
    ASSERT_NEAR(portable_erfc(x), std::erfc(x), 0x1p-44 * std::erfc(x)) << x;
  }
}

TEST_F(PortableMathTest, EndsOfTheRangesAreExact) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_EQ(portable_exp(-kInfinity), 0);
  EXPECT_EQ(portable_exp(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(portable_exp(std::nan(""))));
  EXPECT_EQ(portable_log(1), 0);
  EXPECT_EQ(portable_power(0, 0.5), 0);
  EXPECT_EQ(portable_power(0, 0), 1);
  EXPECT_EQ(portable_power(0.1, 1), 0.1);
  EXPECT_EQ(portable_sine_cosine(0).sine, 0);
  EXPECT_EQ(portable_sine_cosine(0).cosine, 1);
}

// The point of them: a digest over many results, which must not depend on processor, compiler or library.
TEST_F(PortableMathTest, ResultsAreTheSameBitsEverywhere) {
  uint64_t digest = 0;
  const auto add = [&](double value) { digest = (digest ^ std::bit_cast<uint64_t>(value)) * 0x100000001b3u; };
  for (int i = 1; i <= 5000; ++i) {
    const double x = i * 0.0137;
    add(portable_exp(x - 30));
    add(portable_log(x));
    add(portable_power(x, 0.35));
    add(portable_sine_cosine(x * 100).sine);
    add(portable_sine_cosine(x * 100).cosine);
    add(portable_erfc(x / 4 - 2));
  }
  EXPECT_EQ(digest, 11936533322024776291u);
}

}  // namespace
}  // namespace scrooge
