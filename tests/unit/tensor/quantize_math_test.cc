// SPDX-License-Identifier: Apache-2.0
#include "src/tensor/quantize_math.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace scrooge {
namespace {

struct Quantized {
  GroupParams params;
  std::vector<float> codes;
  std::vector<float> values;
};

Quantized quantize(const std::vector<float>& w, const QuantSpec& spec) {
  Quantized result;
  const auto [low, high] = std::minmax_element(w.begin(), w.end());
  result.params = params_from_range(*low, *high, spec);
  for (const float value : w) {
    result.codes.push_back(quantize_value(value, result.params, static_cast<float>(spec.max_code())));
    result.values.push_back(dequantize_value(result.codes.back(), result.params));
  }
  return result;
}

QuantSpec four_bits(bool symmetric, RangeRule range) { return {4, 0, symmetric, DType::kF32, range}; }

void expect_near(const std::vector<float>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5) << "element " << i;
}

const std::vector<float> kOneSigned = {1.0f, 1.1f, 1.2f, 1.3f};
const std::vector<float> kMixed = {-0.62f, 0.1f, 0.33f, 0.7f};

TEST(QuantizeMath, MinMaxDestroysAOneSignedGroup) {
  const Quantized q = quantize(kOneSigned, four_bits(false, RangeRule::kMinMax));
  EXPECT_NEAR(q.params.scale, 0.02, 1e-6);
  EXPECT_EQ(q.params.zero, 0);
  EXPECT_EQ(q.codes, std::vector<float>(4, 15));
  expect_near(q.values, {0.3, 0.3, 0.3, 0.3});
}

TEST(QuantizeMath, ZeroIncludedKeepsAOneSignedGroup) {
  const Quantized q = quantize(kOneSigned, four_bits(false, RangeRule::kZeroIncluded));
  EXPECT_NEAR(q.params.scale, 1.3 / 15, 1e-6);
  EXPECT_EQ(q.params.zero, 0);  // -8 among signed codes
  EXPECT_EQ(q.codes, (std::vector<float>{12, 13, 14, 15}));
  expect_near(q.values, {1.04, 1.126667, 1.213333, 1.3});
}

TEST(QuantizeMath, MinMaxOnAMixedGroup) {
  const Quantized q = quantize(kMixed, four_bits(false, RangeRule::kMinMax));
  EXPECT_NEAR(q.params.scale, 0.088, 1e-6);
  EXPECT_EQ(q.params.zero, 7);
  EXPECT_EQ(q.codes, (std::vector<float>{0, 8, 11, 15}));
  expect_near(q.values, {-0.616, 0.088, 0.352, 0.704});
}

TEST(QuantizeMath, SymmetricByTheGreatestPositiveCode) {
  for (const RangeRule range : {RangeRule::kZeroIncluded, RangeRule::kMinMax}) {
    const Quantized q = quantize(kMixed, four_bits(true, range));
    EXPECT_NEAR(q.params.scale, 0.1, 1e-6);
    EXPECT_EQ(q.params.zero, 8);
    EXPECT_EQ(q.codes, (std::vector<float>{2, 9, 11, 15}));  // -6, 1, 3, 7
    expect_near(q.values, {-0.6, 0.1, 0.3, 0.7});
  }
}

TEST(QuantizeMath, SymmetricOverTheFullRange) {
  const Quantized q = quantize(kMixed, four_bits(true, RangeRule::kFullRange));
  EXPECT_NEAR(q.params.scale, 0.7 / 7.5, 1e-6);
  EXPECT_EQ(q.codes, (std::vector<float>{1, 9, 12, 15}));  // -7, 1, 4, 7
  expect_near(q.values, {-0.653333, 0.093333, 0.373333, 0.653333});
}

TEST(QuantizeMath, ZeroIsExactUnlessMinMax) {
  for (const bool symmetric : {false, true}) {
    for (const int bits : {2, 3, 4, 8}) {
      for (const float low : {-3.0f, -0.01f, 0.5f}) {
        const QuantSpec spec{bits, 0, symmetric, DType::kF16, RangeRule::kZeroIncluded};
        const GroupParams params = params_from_range(low, 0.73f, spec);
        const float code = quantize_value(0, params, static_cast<float>(spec.max_code()));
        EXPECT_EQ(dequantize_value(code, params), 0);
      }
    }
  }
}

TEST(QuantizeMath, AllZeroGroupGivesZeros) {
  for (const RangeRule range : {RangeRule::kZeroIncluded, RangeRule::kMinMax, RangeRule::kFullRange}) {
    for (const bool symmetric : {false, true}) {
      for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
        const Quantized q = quantize({0, 0, 0}, {4, 0, symmetric, dtype, range});
        EXPECT_GT(q.params.scale, 0);
        EXPECT_EQ(q.codes[0], q.params.zero);
        expect_near(q.values, {0, 0, 0});
      }
    }
  }
}

TEST(QuantizeMath, ScalesAreWhatTheirPlaneCanHold) {
  for (float scale = 1e-9f; scale < 1e6f; scale *= 1.37f) {
    const float half = round_scale(scale, DType::kF16);
    EXPECT_EQ(fp16_to_float(float_to_fp16(half)), half);
    EXPECT_GT(half, 0);
    const float brain = round_scale(scale, DType::kBF16);
    EXPECT_EQ(bf16_to_float(float_to_bf16(brain)), brain);
    EXPECT_EQ(round_scale(scale, DType::kF32), scale);
  }
  EXPECT_EQ(round_scale(1e9f, DType::kF16), 65504.0f);
  EXPECT_EQ(round_scale(1e-30f, DType::kF16), 0x1p-24f);
  EXPECT_TRUE(std::isfinite(round_scale(std::numeric_limits<float>::max(), DType::kBF16)));
}

TEST(QuantizeMath, RoundsHalfToEvenAndClamps) {
  const GroupParams params{1, 2};
  EXPECT_EQ(quantize_value(0.5f, params, 15), 2);
  EXPECT_EQ(quantize_value(1.5f, params, 15), 4);
  EXPECT_EQ(quantize_value(-0.5f, params, 15), 2);
  EXPECT_EQ(quantize_value(1e30f, params, 15), 15);
  EXPECT_EQ(quantize_value(-1e30f, params, 15), 0);
}

}  // namespace
}  // namespace scrooge
