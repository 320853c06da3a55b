// SPDX-License-Identifier: Apache-2.0
#include "src/base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace scrooge {
namespace {

double value_of_fp16(uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const double mantissa = bits & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (bits & 0x8000u) != 0 ? -magnitude : magnitude;
}

bool is_nan16(uint32_t bits, uint32_t infinity) { return (bits & 0x7fffu) > infinity; }

TEST(Half, EveryFp16PatternConvertsExactlyAndBack) {
  for (uint32_t bits = 0; bits <= 0xffffu; ++bits) {
    const float value = fp16_to_float(static_cast<uint16_t>(bits));
    if (is_nan16(bits, 0x7c00u)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(is_nan16(float_to_fp16(value), 0x7c00u)) << bits;
      continue;
    }
    if ((bits & 0x7fffu) == 0x7c00u) {
      ASSERT_TRUE(std::isinf(value)) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(value), value_of_fp16(bits)) << bits;
    }
    ASSERT_EQ(std::signbit(value), (bits & 0x8000u) != 0) << bits;
    ASSERT_EQ(float_to_fp16(value), bits);
  }
}

TEST(Half, EveryBf16PatternConvertsExactlyAndBack) {
  for (uint32_t bits = 0; bits <= 0xffffu; ++bits) {
    const float value = bf16_to_float(static_cast<uint16_t>(bits));
    ASSERT_EQ(std::bit_cast<uint32_t>(value), bits << 16);
    if (is_nan16(bits, 0x7f80u)) {
      ASSERT_TRUE(is_nan16(float_to_bf16(value), 0x7f80u)) << bits;
    } else {
      ASSERT_EQ(float_to_bf16(value), bits);
    }
  }
}

// The nearest of the two neighbours of a finite value, the even one on a tie, by exact arithmetic in double. A value
// halfway to the first number beyond the range, or past it, is infinite.
template <typename Decode>
uint16_t nearest_even(float value, uint16_t infinity, double beyond, const Decode& decode) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(static_cast<double>(value));
  uint32_t low = 0;
  uint32_t high = infinity;  // decode is increasing over [0, infinity)
  while (high - low > 1) {
    const uint32_t middle = (low + high) / 2;
    (decode(static_cast<uint16_t>(middle)) <= magnitude ? low : high) = middle;
  }
  const double below = magnitude - decode(static_cast<uint16_t>(low));
  const double above = (high == infinity ? beyond : decode(static_cast<uint16_t>(high))) - magnitude;
  const bool up = above < below || (above == below && low % 2 == 1);
  return static_cast<uint16_t>(sign | (up ? high : low));
}

double decode_fp16(uint16_t bits) { return fp16_to_float(bits); }
double decode_bf16(uint16_t bits) { return bf16_to_float(bits); }

void check_rounding(float value) {
  ASSERT_EQ(float_to_fp16(value), nearest_even(value, 0x7c00, 65536, decode_fp16)) << value;
  ASSERT_EQ(float_to_bf16(value), nearest_even(value, 0x7f80, 0x1p128, decode_bf16)) << value;
}

TEST(Half, ASweepOfFloatsRoundsToNearestEven) {
  // A stride prime to every power of two visits all exponents with ever different mantissas.
  for (uint64_t bits = 0; bits < 0x7f800000u; bits += 9973) {
    check_rounding(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    check_rounding(std::bit_cast<float>(static_cast<uint32_t>(bits | 0x80000000u)));
    if (HasFatalFailure()) return;
  }
}

TEST(Half, TiesAndTheirNeighboursRoundToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7bffu; bits += 3) {
    const float tie = (fp16_to_float(static_cast<uint16_t>(bits)) + fp16_to_float(static_cast<uint16_t>(bits + 1))) / 2;
    for (const float value : {std::nextafter(tie, 0.0f), tie, std::nextafter(tie, 1e9f)}) check_rounding(value);
    if (HasFatalFailure()) return;
  }
  for (uint32_t bits = 0; bits < 0x7f80u; bits += 3) {
    const float tie = std::bit_cast<float>(bits << 16 | 0x8000u);
    for (const float value : {std::nextafter(tie, 0.0f), tie, std::nextafter(tie, HUGE_VALF)}) {
      if (std::isfinite(value)) check_rounding(value);
    }
    if (HasFatalFailure()) return;
  }
}

TEST(Half, OverflowInfinityAndNaN) {
  EXPECT_EQ(float_to_fp16(65519.996f), 0x7bff);
  EXPECT_EQ(float_to_fp16(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_fp16(-1e30f), 0xfc00);
  EXPECT_EQ(float_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(float_to_bf16(-HUGE_VALF), 0xff80);
  // A NaN whose payload lies in the bits that are cut stays a NaN.
  const float narrow = std::bit_cast<float>(0x7f800001u);
  EXPECT_TRUE(std::isnan(fp16_to_float(float_to_fp16(narrow))));
  EXPECT_TRUE(std::isnan(bf16_to_float(float_to_bf16(narrow))));
}

}  // namespace
}  // namespace scrooge
