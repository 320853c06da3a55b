// SPDX-License-Identifier: Apache-2.0
// The seam to the matrix library: one single-threaded product per call. Parallelism, tiling and precision are decided
// by the ops, from shapes alone, so a provider only has to give the same bits for the same operands.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "src/base/memory_budget.h"
#include "src/base/result.h"

namespace scrooge::backend::cpu {

// c[m,n] = alpha * op(a) op(b) + beta * c, row-major with leading dimensions in elements. op(a) is [m,k]: a is stored
// [m,k], or [k,m] with transpose_a; op(b) is [k,n]: b is stored [k,n], or [n,k] with transpose_b. beta is 0 or 1; with
// 0 c is not read. All of m, n, k >= 1.
template <typename T>
struct BasicProduct {
  bool transpose_a = false;
  bool transpose_b = false;
  int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  int64_t lda = 0;
  const T* b = nullptr;
  int64_t ldb = 0;
  T beta = 0;
  T* c = nullptr;
  int64_t ldc = 0;
  T alpha = 1;
};
using Product = BasicProduct<float>;

// The same with bf16 operands and f32 sums; alpha is 1.
struct Bf16Product {
  bool transpose_a = false;
  bool transpose_b = false;
  int64_t m = 0, n = 0, k = 0;
  const uint16_t* a = nullptr;
  int64_t lda = 0;
  const uint16_t* b = nullptr;
  int64_t ldb = 0;
  float beta = 0;
  float* c = nullptr;
  int64_t ldc = 0;
};

// Both products may be called from several threads at once, each with its own `worker` number.
class MatrixProduct {
 public:
  virtual ~MatrixProduct() = default;
  virtual std::string_view name() const = 0;
  // Whether multiply_bf16 is there and pays off.
  virtual bool has_bf16() const = 0;
  virtual Status multiply(const Product& product) = 0;
  virtual Status multiply_bf16(const Bf16Product& product, int worker) = 0;
};

std::unique_ptr<MatrixProduct> make_eigen_product();
// The order of simd/ordered_product.h, which is the same on every processor.
inline constexpr std::string_view kOrderedProduct = "ordered";  // its name()
std::unique_ptr<MatrixProduct> make_ordered_product();
// Null when the build has no oneDNN or the processor is below AVX2; an error when it could not be opened, since
// products of another provider would give other bits. `bf16`: the processor multiplies bf16 faster.
Result<std::unique_ptr<MatrixProduct>> make_onednn_product(MemoryBudget& budget, int workers, bool avx2, bool bf16);

}  // namespace scrooge::backend::cpu
