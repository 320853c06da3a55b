// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include "backends/cuda/cuda_status.h"
#include "backends/cuda/driver_api.h"

namespace scrooge::backend::cuda {
namespace {

// The library is never closed: the driver keeps threads and exit handlers of its own.
Result<DriverApi> open_driver() {
  constexpr const char* kLibrary = "libcuda.so.1";
  void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return error(StatusCode::kUnavailable, "cuda: the NVIDIA driver is not on this machine (", kLibrary,
                 " was not found); install it, or use another device");
  }
  DriverApi api;
#define SCROOGE_CUDA_LOOK_UP(member, symbol, parameters)                                                          \
  api.member = reinterpret_cast<CuResult(*) parameters>(dlsym(library, #symbol));                                 \
  if (api.member == nullptr) {                                                                                    \
    return error(StatusCode::kUnavailable,                                                                        \
                 "cuda: the NVIDIA driver lacks " #symbol "; install a newer driver (580 or later for CUDA 13)"); \
  }
  SCROOGE_CUDA_DRIVER_FUNCTIONS(SCROOGE_CUDA_LOOK_UP)
#undef SCROOGE_CUDA_LOOK_UP
  SCROOGE_RETURN_IF_ERROR(check(api, api.init(0), "cuInit"));
  return api;
}

}  // namespace

Result<const DriverApi*> load_driver() {
  static const Result<DriverApi> driver = open_driver();
  if (!driver.ok()) return driver.status();
  return &*driver;
}

}  // namespace scrooge::backend::cuda
