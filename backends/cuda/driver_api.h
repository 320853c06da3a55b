// SPDX-License-Identifier: Apache-2.0
// The driver as one table of function pointers. The product fills it from libcuda, found at run time; tests fill it
// with a driver of their own, under the same host code.
#pragma once

#include "backends/cuda/driver_types.h"
#include "src/base/result.h"

namespace scrooge::backend::cuda {

// X(member, exported symbol, parameter list): every function returns a CuResult.
#define SCROOGE_CUDA_DRIVER_FUNCTIONS(X)                                                                         \
  X(init, cuInit, (unsigned flags))                                                                              \
  X(driver_version, cuDriverGetVersion, (int* version))                                                          \
  X(error_name, cuGetErrorName, (CuResult error, const char** name))                                             \
  X(error_string, cuGetErrorString, (CuResult error, const char** text))                                         \
  X(device_count, cuDeviceGetCount, (int* count))                                                                \
  X(device_get, cuDeviceGet, (CuDevice * device, int ordinal))                                                   \
  X(device_name, cuDeviceGetName, (char* name, int length, CuDevice device))                                     \
  X(device_attribute, cuDeviceGetAttribute, (int* value, int attribute, CuDevice device))                        \
  X(device_total_memory, cuDeviceTotalMem_v2, (size_t * bytes, CuDevice device))                                 \
  X(primary_context_retain, cuDevicePrimaryCtxRetain, (CuContext * context, CuDevice device))                    \
  X(primary_context_release, cuDevicePrimaryCtxRelease_v2, (CuDevice device))                                    \
  X(context_push, cuCtxPushCurrent_v2, (CuContext context))                                                      \
  X(context_pop, cuCtxPopCurrent_v2, (CuContext * context))                                                      \
  X(memory_info, cuMemGetInfo_v2, (size_t * free, size_t * total))                                               \
  X(memory_alloc, cuMemAlloc_v2, (CuAddress * address, size_t bytes))                                            \
  X(memory_free, cuMemFree_v2, (CuAddress address))                                                              \
  X(host_alloc, cuMemHostAlloc, (void** pointer, size_t bytes, unsigned flags))                                  \
  X(host_free, cuMemFreeHost, (void* pointer))                                                                   \
  X(copy_to_device, cuMemcpyHtoDAsync_v2, (CuAddress to, const void* from, size_t bytes, CuStream stream))       \
  X(copy_to_host, cuMemcpyDtoHAsync_v2, (void* to, CuAddress from, size_t bytes, CuStream stream))               \
  X(copy_on_device, cuMemcpyDtoDAsync_v2, (CuAddress to, CuAddress from, size_t bytes, CuStream stream))         \
  X(fill_bytes, cuMemsetD8Async, (CuAddress to, unsigned char value, size_t bytes, CuStream stream))             \
  X(stream_create, cuStreamCreate, (CuStream * stream, unsigned flags))                                          \
  X(stream_destroy, cuStreamDestroy_v2, (CuStream stream))                                                       \
  X(stream_wait, cuStreamWaitEvent, (CuStream stream, CuEvent event, unsigned flags))                            \
  X(event_create, cuEventCreate, (CuEvent * event, unsigned flags))                                              \
  X(event_destroy, cuEventDestroy_v2, (CuEvent event))                                                           \
  X(event_record, cuEventRecord, (CuEvent event, CuStream stream))                                               \
  X(event_query, cuEventQuery, (CuEvent event))                                                                  \
  X(event_synchronize, cuEventSynchronize, (CuEvent event))                                                      \
  X(module_load, cuModuleLoadData, (CuModule * module, const void* image))                                       \
  X(module_unload, cuModuleUnload, (CuModule module))                                                            \
  X(module_function, cuModuleGetFunction, (CuFunction * function, CuModule module, const char* name))            \
  X(function_attribute, cuFuncSetAttribute, (CuFunction function, int attribute, int value))                     \
  X(launch, cuLaunchKernel,                                                                                      \
    (CuFunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, \
     unsigned block_z, unsigned shared_bytes, CuStream stream, void** parameters, void** extra))

struct DriverApi {
#define SCROOGE_CUDA_MEMBER(member, symbol, parameters) CuResult(*member) parameters = nullptr;
  SCROOGE_CUDA_DRIVER_FUNCTIONS(SCROOGE_CUDA_MEMBER)
#undef SCROOGE_CUDA_MEMBER
};

// The table of the NVIDIA driver on this machine, loaded once per process and initialized. kUnavailable, saying why,
// where there is none or it is too old. Thread-safe.
Result<const DriverApi*> load_driver();

}  // namespace scrooge::backend::cuda
