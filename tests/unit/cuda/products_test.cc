// SPDX-License-Identifier: Apache-2.0
// What becomes of cuBLASLt's errors, and that its algorithms are asked for once.
#include <gtest/gtest.h>

#include "backends/cuda/cuda_device.h"
#include "tests/support/cuda_shim/fake_blas.h"
#include "tests/support/cuda_shim/fake_driver.h"
#include "tests/support/device_data.h"

namespace scrooge::backend::cuda {
namespace {

using test::shim::fail_blas;

class ProductsTest : public testing::Test {
 protected:
  Status multiply(Precision precision = Precision::kExact, int64_t tokens = 4) {
    const Matrix x = data_.matrix(test::random_floats(static_cast<size_t>(tokens * 8), 1), tokens, 8);
    return data_.device().gemm({x, w_, data_.zeros(tokens, 8), {}, 0, precision});
  }
  // Every time another problem, for which an algorithm has to be chosen.
  void expect(const char* symbol, BlasResult result, StatusCode code) {
    fail_blas(symbol, result);
    const Status status = multiply(Precision::kExact, ++tokens_);
    EXPECT_EQ(status.code(), code) << status.message();
    EXPECT_NE(status.message().find(symbol), std::string_view::npos) << status.message();
    EXPECT_TRUE(multiply().ok());  // the device lives on
  }

  int64_t tokens_ = 4;
  test::DeviceData data_{"cuda-shim"};
  const Matrix w_ = data_.matrix(test::random_floats(64, 2), 8, 8);
};

TEST_F(ProductsTest, ErrorsHaveTheirMeaning) {
  expect("cublasLtCreate", kBlasAllocFailed, StatusCode::kOutOfMemory);
  expect("cublasLtMatmulAlgoGetHeuristic", kBlasNotSupported, StatusCode::kUnsupported);
  expect("cublasLtMatmul", kBlasArchMismatch, StatusCode::kUnavailable);
  expect("cublasLtMatmul", kBlasInternalError, StatusCode::kInternal);
  expect("cublasLtMatrixLayoutCreate", kBlasInvalidValue, StatusCode::kInternal);
}

TEST_F(ProductsTest, ALostDeviceIsTheDriversError) {
  ASSERT_TRUE(multiply().ok());
  fail_blas("cublasLtMatmul", kBlasExecutionFailed);
  test::shim::fail_call("cuMemGetInfo_v2", 1, kCuIllegalAddress);
  const Status status = multiply();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status.message();
  EXPECT_EQ(data_.device().synchronize().code(), StatusCode::kUnavailable);
}

TEST_F(ProductsTest, AlgorithmsAreChosenOncePerProblem) {
  ASSERT_TRUE(multiply().ok());
  const uint64_t asked = test::shim::heuristics_asked();
  const uint64_t products = test::shim::products_run();
  ASSERT_TRUE(multiply().ok());
  EXPECT_EQ(test::shim::heuristics_asked(), asked);
  EXPECT_EQ(test::shim::products_run(), products + 1);
  ASSERT_TRUE(multiply(Precision::kFast).ok());
  ASSERT_TRUE(multiply(Precision::kExact, 5).ok());
  EXPECT_EQ(test::shim::heuristics_asked(), asked + 2);
}

// A device opens without cuBLASLt, and what needs no product works.
TEST(ProductsLibraryTest, AMissingLibraryIsTheProductsErrorAlone) {
  MemoryBudget budget;
  DeviceSetup setup;
  setup.driver = &test::shim::fake_driver();
  setup.load_blas = []() -> Result<const BlasApi*> { return error(StatusCode::kUnavailable, "not here"); };
  const auto device = CudaDevice::open(setup, 0, {1, &budget});
  ASSERT_TRUE(device.ok()) << device.status().message();
  const auto buffer = (*device)->allocate(1024, "test");
  ASSERT_TRUE(buffer.ok());
  ASSERT_TRUE((*device)->fill_zero(**buffer, 0, 1024).ok());
  const Matrix x{buffer->get(), 0, 4, 4, 4, DType::kF32};
  const Matrix w{buffer->get(), 64, 4, 4, 4, DType::kF32};
  const Matrix y{buffer->get(), 128, 4, 4, 4, DType::kF32};
  const Status status = (*device)->gemm({x, w, y, {}, 0, Precision::kExact});
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("not here"), std::string_view::npos);
  EXPECT_TRUE((*device)->synchronize().ok());
}

}  // namespace
}  // namespace scrooge::backend::cuda
