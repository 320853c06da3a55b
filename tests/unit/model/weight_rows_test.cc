// SPDX-License-Identifier: Apache-2.0
#include "src/model/weight_rows.h"

#include <gtest/gtest.h>

#include "src/model/block_forward.h"
#include "tests/support/device_data.h"

namespace scrooge::model {
namespace {

using backend::Matrix;
using backend::Precision;
using backend::Vector;
using test::DeviceData;
using test::random_floats;

TEST(WeightRows, TilesAreBoundedAndDependOnTheWidthAlone) {
  EXPECT_EQ(tile_rows(4096), 1024);
  EXPECT_EQ(tile_rows(14336), 256);
  EXPECT_EQ(tile_rows(int64_t{1} << 30), 64);
  EXPECT_EQ(tile_rows(10, 4096), 10);
}

// The bias and the columns of the result follow the tiles.
TEST(WeightRows, AProductOverTilesIsTheProduct) {
  constexpr int64_t kWidth = 64;
  constexpr int64_t kTokens = 5;
  const int64_t rows = tile_rows(kWidth) + 40;
  DeviceData data;
  const Matrix w = data.matrix(random_floats(static_cast<size_t>(rows * kWidth), 1), rows, kWidth);
  const Matrix x = data.matrix(random_floats(kTokens * kWidth, 2), kTokens, kWidth);
  const Matrix b = data.matrix(random_floats(static_cast<size_t>(rows), 3), 1, rows);
  const Vector bias{b.buffer, 0, rows, DType::kF32};
  const Matrix whole = data.zeros(kTokens, rows);
  const Matrix tiled = data.zeros(kTokens, rows);
  ASSERT_TRUE(data.device().gemm({x, w, whole, bias, 0, Precision::kExact}).ok());
  ModelConfig config;
  config.width = config.feed_forward = kWidth;
  config.heads = config.kv_heads = 4;
  config.head_width = 16;
  const auto forward = BlockForward::create(data.device(), config, std::vector<float>(8, 1.0f), kTokens);
  ASSERT_TRUE(forward.ok());
  ResidentWeight weight(w);
  ASSERT_TRUE((*forward)->multiply(weight, bias, x, Precision::kExact, 0, tiled).ok());
  EXPECT_EQ(data.read(tiled), data.read(whole));
}

}  // namespace
}  // namespace scrooge::model
