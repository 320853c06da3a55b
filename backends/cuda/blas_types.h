// SPDX-License-Identifier: Apache-2.0
// The few types and numbers of cuBLASLt that this folder uses, declared here for the reason of driver_types.h. The
// values are the library's, fixed by its ABI; tests/unit/cuda compares them with the vendor's header where there is
// one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cuda/driver_types.h"

namespace scrooge::backend::cuda {

using BlasResult = int;
using BlasHandle = struct BlasContextHandle*;
using BlasOperation = struct BlasOperationHandle*;    // cublasLtMatmulDesc_t
using BlasLayout = struct BlasLayoutHandle*;          // cublasLtMatrixLayout_t
using BlasPreference = struct BlasPreferenceHandle*;  // cublasLtMatmulPreference_t

inline constexpr BlasResult kBlasSuccess = 0;
inline constexpr BlasResult kBlasNotInitialized = 1;
inline constexpr BlasResult kBlasAllocFailed = 3;
inline constexpr BlasResult kBlasInvalidValue = 7;
inline constexpr BlasResult kBlasArchMismatch = 8;
inline constexpr BlasResult kBlasExecutionFailed = 13;
inline constexpr BlasResult kBlasInternalError = 14;
inline constexpr BlasResult kBlasNotSupported = 15;

// cudaDataType
inline constexpr int kBlasF32 = 0;
inline constexpr int kBlasF64 = 1;
inline constexpr int kBlasBf16 = 14;
// cublasComputeType_t
inline constexpr int kBlasComputeF32 = 68;
inline constexpr int kBlasComputeF64 = 70;
// cublasOperation_t
inline constexpr int32_t kBlasPlain = 0;
inline constexpr int32_t kBlasTransposed = 1;

// cublasLtMatmulDescAttributes_t
inline constexpr int kBlasOperationTransposeA = 3;
inline constexpr int kBlasOperationTransposeB = 4;
// cublasLtMatmulPreferenceAttributes_t
inline constexpr int kBlasPreferWorkspaceBytes = 1;  // size_t
inline constexpr int kBlasPreferReductionMask = 3;   // uint32_t
inline constexpr int kBlasPreferAlignmentA = 5;      // uint32_t, and so the next three
inline constexpr int kBlasPreferAlignmentB = 6;
inline constexpr int kBlasPreferAlignmentC = 7;
inline constexpr int kBlasPreferAlignmentD = 8;
// cublasLtReductionScheme_t: parts of a sum are added in the type of the accumulator, in the workspace.
inline constexpr uint32_t kBlasReduceComputeType = 2;

struct BlasAlgorithm {
  uint64_t data[8];
};
struct BlasHeuristic {
  BlasAlgorithm algorithm;
  size_t workspace_bytes;
  BlasResult state;
  float waves;
  int reserved[4];
};

}  // namespace scrooge::backend::cuda
