// SPDX-License-Identifier: Apache-2.0
// cuBLASLt as one table of function pointers, filled from the library found at run time; tests fill it with products of
// their own.
#pragma once

#include "backends/cuda/blas_types.h"
#include "src/base/result.h"

namespace scrooge::backend::cuda {

// X(member, exported symbol, parameter list): every function returns a BlasResult.
#define SCROOGE_CUDA_BLAS_FUNCTIONS(X)                                                                                 \
  X(create, cublasLtCreate, (BlasHandle * handle))                                                                     \
  X(destroy, cublasLtDestroy, (BlasHandle handle))                                                                     \
  X(operation_create, cublasLtMatmulDescCreate, (BlasOperation * operation, int compute_type, int scale_type))         \
  X(operation_destroy, cublasLtMatmulDescDestroy, (BlasOperation operation))                                           \
  X(operation_set, cublasLtMatmulDescSetAttribute,                                                                     \
    (BlasOperation operation, int attribute, const void* value, size_t bytes))                                         \
  X(layout_create, cublasLtMatrixLayoutCreate,                                                                         \
    (BlasLayout * layout, int type, uint64_t rows, uint64_t columns, int64_t stride))                                  \
  X(layout_destroy, cublasLtMatrixLayoutDestroy, (BlasLayout layout))                                                  \
  X(preference_create, cublasLtMatmulPreferenceCreate, (BlasPreference * preference))                                  \
  X(preference_destroy, cublasLtMatmulPreferenceDestroy, (BlasPreference preference))                                  \
  X(preference_set, cublasLtMatmulPreferenceSetAttribute,                                                              \
    (BlasPreference preference, int attribute, const void* value, size_t bytes))                                       \
  X(heuristic, cublasLtMatmulAlgoGetHeuristic,                                                                         \
    (BlasHandle handle, BlasOperation operation, BlasLayout a, BlasLayout b, BlasLayout c, BlasLayout d,               \
     BlasPreference preference, int wanted, BlasHeuristic* results, int* found))                                       \
  X(multiply, cublasLtMatmul,                                                                                          \
    (BlasHandle handle, BlasOperation operation, const void* alpha, const void* a, BlasLayout a_layout, const void* b, \
     BlasLayout b_layout, const void* beta, const void* c, BlasLayout c_layout, void* d, BlasLayout d_layout,          \
     const BlasAlgorithm* algorithm, void* workspace, size_t workspace_bytes, CuStream stream))

struct BlasApi {
#define SCROOGE_CUDA_MEMBER(member, symbol, parameters) BlasResult(*member) parameters = nullptr;
  SCROOGE_CUDA_BLAS_FUNCTIONS(SCROOGE_CUDA_MEMBER)
#undef SCROOGE_CUDA_MEMBER
};

// The table of the cuBLASLt on this machine, loaded once per process. kUnavailable, saying where it comes from, where
// there is none. Thread-safe.
Result<const BlasApi*> load_blas();

}  // namespace scrooge::backend::cuda
