// SPDX-License-Identifier: Apache-2.0
// Matrix products by cuBLASLt, in this library's terms: row-major operands, one workspace, and for each problem the
// algorithm that was chosen when it first came, so that a run repeats to the bit on the same card and libraries.
#pragma once

#include <map>
#include <tuple>

#include "backends/cuda/blas_api.h"
#include "backends/cuda/driver_context.h"

namespace scrooge::backend::cuda {

// c[m,n] = alpha op(a) op(b) + beta c, row-major: a is [m,k], or [k,m] when transposed; b is [k,n], or [n,k]. Inputs
// are f32, or bf16 with f32 sums and an f32 c, or all f64.
struct Product {
  enum class Type : int32_t { kF32, kBf16, kF64 };
  Type type = Type::kF32;
  bool transpose_a = false;
  bool transpose_b = false;
  int64_t m = 0, n = 0, k = 0;
  CuAddress a = 0, b = 0, c = 0;
  int64_t lda = 0, ldb = 0, ldc = 0;  // elements from row to row
  double alpha = 1, beta = 0;
};

class Blas {
 public:
  // `load` gives the table at the first product. `context` outlives it and is current in every call.
  Blas(DriverContext& context, Result<const BlasApi*> (*load)()) : context_(context), load_(load) {}
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;

  // Addresses and row lengths are multiples of kAlignment, which every card's fast kernels take. kUnavailable without
  // cuBLASLt. An empty product is an error of the caller.
  static constexpr uint64_t kAlignment = 16;
  Status multiply(const Product& product, CuAddress workspace, uint64_t workspace_bytes, CuStream stream);
  void close();

 private:
  // What decides the algorithm. The workspace's size is the same in every call.
  using Problem = std::tuple<Product::Type, bool, bool, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool>;
  struct Descriptors;

  Status open();
  Result<BlasAlgorithm> choose(const Product& product, const Descriptors& use, uint64_t workspace_bytes);
  Status check(BlasResult result, std::string_view call);

  DriverContext& context_;
  Result<const BlasApi*> (*const load_)();
  const BlasApi* api_ = nullptr;
  BlasHandle handle_ = nullptr;
  std::map<Problem, BlasAlgorithm> chosen_;
};

}  // namespace scrooge::backend::cuda
