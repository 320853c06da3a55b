// SPDX-License-Identifier: Apache-2.0
// The few types and numbers of NVIDIA's driver interface that this folder uses, declared here so that the host side is
// compiled, and tested, on machines without the vendor's headers. The values are the interface's, fixed by its ABI.
#pragma once

#include <cstddef>
#include <cstdint>

namespace scrooge::backend::cuda {

using CuResult = int;
using CuDevice = int;
using CuAddress = uint64_t;  // of device memory
using CuContext = struct CuContextHandle*;
using CuStream = struct CuStreamHandle*;
using CuEvent = struct CuEventHandle*;
using CuModule = struct CuModuleHandle*;
using CuFunction = struct CuFunctionHandle*;

inline constexpr CuResult kCuSuccess = 0;
inline constexpr CuResult kCuInvalidValue = 1;
inline constexpr CuResult kCuOutOfMemory = 2;
inline constexpr CuResult kCuNotInitialized = 3;
inline constexpr CuResult kCuDeinitialized = 4;
inline constexpr CuResult kCuDeviceUnavailable = 46;
inline constexpr CuResult kCuNoDevice = 100;
inline constexpr CuResult kCuInvalidDevice = 101;
inline constexpr CuResult kCuNoBinaryForGpu = 209;
inline constexpr CuResult kCuEccUncorrectable = 214;
inline constexpr CuResult kCuUnsupportedPtxVersion = 222;
inline constexpr CuResult kCuNotFound = 500;
inline constexpr CuResult kCuNotReady = 600;
inline constexpr CuResult kCuIllegalAddress = 700;  // 700 and 702 to 719: the context is lost
inline constexpr CuResult kCuLaunchOutOfResources = 701;
inline constexpr CuResult kCuLaunchFailed = 719;
inline constexpr CuResult kCuSystemNotReady = 802;
inline constexpr CuResult kCuSystemDriverMismatch = 803;
inline constexpr CuResult kCuCompatNotSupportedOnDevice = 804;
inline constexpr CuResult kCuUnknown = 999;

// CUdevice_attribute
inline constexpr int kCuAttributeMultiprocessorCount = 16;
inline constexpr int kCuAttributeIntegrated = 18;
inline constexpr int kCuAttributeCapabilityMajor = 75;
inline constexpr int kCuAttributeCapabilityMinor = 76;
inline constexpr int kCuAttributeSharedMemoryOptin = 97;  // bytes a block can have at most

inline constexpr unsigned kCuStreamNonBlocking = 1;    // CU_STREAM_NON_BLOCKING
inline constexpr unsigned kCuEventDisableTiming = 2;   // CU_EVENT_DISABLE_TIMING
inline constexpr unsigned kCuHostAllocPortable = 1;    // CU_MEMHOSTALLOC_PORTABLE
inline constexpr int kCuFunctionMaxDynamicShared = 8;  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
// What a function may use without that attribute, at the least: 48 KiB less its static shared memory.
inline constexpr unsigned kDefaultDynamicShared = 32 << 10;

}  // namespace scrooge::backend::cuda
