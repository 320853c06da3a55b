// SPDX-License-Identifier: Apache-2.0
// backends/cuda declares what it uses of NVIDIA's interfaces by itself. Where the vendor's headers are, the compiler
// compares: numbers, sizes, and every function's parameters one by one.
#include <cublasLt.h>
#include <cuda.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <type_traits>

#include "backends/cuda/blas_api.h"
#include "backends/cuda/driver_api.h"

namespace scrooge::backend::cuda {
namespace {

// The same place in a call: pointers for pointers, numbers for numbers of the same size.
template <typename A, typename B>
constexpr bool kSamePlace =
    sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>&& std::is_floating_point_v<A> ==
                                  std::is_floating_point_v<B>;

template <typename ResultA, typename... A, typename ResultB, typename... B>
constexpr bool compatible(ResultA (*)(A...), ResultB (*)(B...)) {
  if constexpr (sizeof...(A) != sizeof...(B)) {
    return false;
  } else {
    return kSamePlace<ResultA, ResultB> && (kSamePlace<A, B> && ...);
  }
}

#define SCROOGE_COMPARE_DRIVER(member, symbol, parameters)                                            \
  static_assert(compatible(static_cast<decltype(&::symbol)>(nullptr), decltype(DriverApi::member){}), \
                #symbol " has other parameters");
SCROOGE_CUDA_DRIVER_FUNCTIONS(SCROOGE_COMPARE_DRIVER)
#define SCROOGE_COMPARE_BLAS(member, symbol, parameters)                                            \
  static_assert(compatible(static_cast<decltype(&::symbol)>(nullptr), decltype(BlasApi::member){}), \
                #symbol " has other parameters");
SCROOGE_CUDA_BLAS_FUNCTIONS(SCROOGE_COMPARE_BLAS)

#define SCROOGE_COMPARE(ours, theirs) static_assert(static_cast<long>(ours) == static_cast<long>(theirs), #theirs)
SCROOGE_COMPARE(kCuSuccess, CUDA_SUCCESS);
SCROOGE_COMPARE(kCuInvalidValue, CUDA_ERROR_INVALID_VALUE);
SCROOGE_COMPARE(kCuOutOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
SCROOGE_COMPARE(kCuNotInitialized, CUDA_ERROR_NOT_INITIALIZED);
SCROOGE_COMPARE(kCuDeinitialized, CUDA_ERROR_DEINITIALIZED);
SCROOGE_COMPARE(kCuDeviceUnavailable, CUDA_ERROR_DEVICE_UNAVAILABLE);
SCROOGE_COMPARE(kCuNoDevice, CUDA_ERROR_NO_DEVICE);
SCROOGE_COMPARE(kCuInvalidDevice, CUDA_ERROR_INVALID_DEVICE);
SCROOGE_COMPARE(kCuNoBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
SCROOGE_COMPARE(kCuEccUncorrectable, CUDA_ERROR_ECC_UNCORRECTABLE);
SCROOGE_COMPARE(kCuUnsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
SCROOGE_COMPARE(kCuNotFound, CUDA_ERROR_NOT_FOUND);
SCROOGE_COMPARE(kCuNotReady, CUDA_ERROR_NOT_READY);
SCROOGE_COMPARE(kCuIllegalAddress, CUDA_ERROR_ILLEGAL_ADDRESS);
SCROOGE_COMPARE(kCuLaunchOutOfResources, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
SCROOGE_COMPARE(kCuLaunchFailed, CUDA_ERROR_LAUNCH_FAILED);
SCROOGE_COMPARE(kCuSystemNotReady, CUDA_ERROR_SYSTEM_NOT_READY);
SCROOGE_COMPARE(kCuSystemDriverMismatch, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
SCROOGE_COMPARE(kCuCompatNotSupportedOnDevice, CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE);
SCROOGE_COMPARE(kCuUnknown, CUDA_ERROR_UNKNOWN);
SCROOGE_COMPARE(kCuAttributeMultiprocessorCount, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
SCROOGE_COMPARE(kCuAttributeIntegrated, CU_DEVICE_ATTRIBUTE_INTEGRATED);
SCROOGE_COMPARE(kCuAttributeCapabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
SCROOGE_COMPARE(kCuAttributeCapabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
SCROOGE_COMPARE(kCuAttributeSharedMemoryOptin, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
SCROOGE_COMPARE(kCuStreamNonBlocking, CU_STREAM_NON_BLOCKING);
SCROOGE_COMPARE(kCuEventDisableTiming, CU_EVENT_DISABLE_TIMING);
SCROOGE_COMPARE(kCuHostAllocPortable, CU_MEMHOSTALLOC_PORTABLE);
SCROOGE_COMPARE(kCuFunctionMaxDynamicShared, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);

SCROOGE_COMPARE(kBlasSuccess, CUBLAS_STATUS_SUCCESS);
SCROOGE_COMPARE(kBlasNotInitialized, CUBLAS_STATUS_NOT_INITIALIZED);
SCROOGE_COMPARE(kBlasAllocFailed, CUBLAS_STATUS_ALLOC_FAILED);
SCROOGE_COMPARE(kBlasInvalidValue, CUBLAS_STATUS_INVALID_VALUE);
SCROOGE_COMPARE(kBlasArchMismatch, CUBLAS_STATUS_ARCH_MISMATCH);
SCROOGE_COMPARE(kBlasExecutionFailed, CUBLAS_STATUS_EXECUTION_FAILED);
SCROOGE_COMPARE(kBlasInternalError, CUBLAS_STATUS_INTERNAL_ERROR);
SCROOGE_COMPARE(kBlasNotSupported, CUBLAS_STATUS_NOT_SUPPORTED);
SCROOGE_COMPARE(kBlasF32, CUDA_R_32F);
SCROOGE_COMPARE(kBlasF64, CUDA_R_64F);
SCROOGE_COMPARE(kBlasBf16, CUDA_R_16BF);
SCROOGE_COMPARE(kBlasComputeF32, CUBLAS_COMPUTE_32F);
SCROOGE_COMPARE(kBlasComputeF64, CUBLAS_COMPUTE_64F);
SCROOGE_COMPARE(kBlasPlain, CUBLAS_OP_N);
SCROOGE_COMPARE(kBlasTransposed, CUBLAS_OP_T);
SCROOGE_COMPARE(kBlasOperationTransposeA, CUBLASLT_MATMUL_DESC_TRANSA);
SCROOGE_COMPARE(kBlasOperationTransposeB, CUBLASLT_MATMUL_DESC_TRANSB);
SCROOGE_COMPARE(kBlasPreferWorkspaceBytes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
SCROOGE_COMPARE(kBlasPreferReductionMask, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
SCROOGE_COMPARE(kBlasPreferAlignmentA, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
SCROOGE_COMPARE(kBlasPreferAlignmentB, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
SCROOGE_COMPARE(kBlasPreferAlignmentC, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
SCROOGE_COMPARE(kBlasPreferAlignmentD, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
SCROOGE_COMPARE(kBlasReduceComputeType, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);

static_assert(sizeof(BlasAlgorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(BlasHeuristic) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(BlasHeuristic, workspace_bytes) == offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(BlasHeuristic, state) == offsetof(cublasLtMatmulHeuristicResult_t, state));
static_assert(offsetof(BlasHeuristic, waves) == offsetof(cublasLtMatmulHeuristicResult_t, wavesCount));

TEST(VendorHeadersTest, DeclareWhatThisFolderDeclares) {
  SUCCEED() << "compared at compile time";  // so that a test's name says that it was
}

}  // namespace
}  // namespace scrooge::backend::cuda
