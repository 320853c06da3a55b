// SPDX-License-Identifier: Apache-2.0
#include "src/tensor/quant_spec.h"

#include <gtest/gtest.h>

namespace scrooge {
namespace {

TEST(QuantSpec, SizesOfARowWithARaggedGroup) {
  QuantSpec spec;  // 4 bits, group 128, asymmetric, f16
  EXPECT_EQ(spec.groups(576), 5);
  EXPECT_EQ(spec.group_length(576), 128);
  EXPECT_EQ(spec.code_row_bytes(576), 288);
  EXPECT_EQ(spec.zero_row_bytes(576), 3);
  EXPECT_DOUBLE_EQ(spec.bits_per_weight(576), 8.0 * (288 + 10 + 3) / 576);
  spec.bits = 3;
  EXPECT_EQ(spec.code_row_bytes(33), 13);
  spec.symmetric = true;
  EXPECT_EQ(spec.zero_row_bytes(576), 0);
}

TEST(QuantSpec, GroupZeroOrTooWideIsTheWholeRow) {
  QuantSpec spec;
  spec.group = 0;
  EXPECT_EQ(spec.groups(576), 1);
  EXPECT_EQ(spec.group_length(576), 576);
  spec.group = 128;
  EXPECT_EQ(spec.groups(64), 1);
  EXPECT_EQ(spec.group_length(64), 64);
  EXPECT_EQ(spec.groups(0), 0);
}

TEST(QuantSpec, CodesAndZeros) {
  for (const auto& [bits, top, zero] : {std::tuple{2, 3, 2}, {3, 7, 4}, {4, 15, 8}, {8, 255, 128}}) {
    QuantSpec spec;
    spec.bits = bits;
    EXPECT_EQ(spec.max_code(), top);
    EXPECT_EQ(spec.symmetric_zero(), zero);
    EXPECT_TRUE(spec.validate().ok());
  }
}

TEST(QuantSpec, ValidateNamesTheOption) {
  for (const int bits : {-1, 0, 1, 5, 6, 7, 9, 16}) {
    QuantSpec spec;
    spec.bits = bits;
    EXPECT_EQ(spec.validate().code(), StatusCode::kInvalidArgument);
    EXPECT_TRUE(spec.validate().message().starts_with("bits: ")) << spec.validate().message();
  }
  for (const int64_t group : {int64_t{-1}, int64_t{1}, int64_t{7}, (int64_t{1} << 20) + 1}) {
    QuantSpec spec;
    spec.group = group;
    EXPECT_EQ(spec.validate().code(), StatusCode::kInvalidArgument);
    EXPECT_TRUE(spec.validate().message().starts_with("group: ")) << spec.validate().message();
  }
  for (const int64_t group : {0, 8, 48, 128, 1 << 20}) {
    QuantSpec spec;
    spec.group = group;
    EXPECT_TRUE(spec.validate().ok()) << group;
  }
}

}  // namespace
}  // namespace scrooge
