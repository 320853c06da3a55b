// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include "backends/cuda/blas_api.h"

namespace scrooge::backend::cuda {
namespace {

// Never closed, as the driver is not.
Result<BlasApi> open_blas() {
  constexpr const char* kLibraries[] = {"libcublasLt.so.13", "libcublasLt.so.12"};
  void* library = nullptr;
  for (const char* name : kLibraries) {
    if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) {
    return error(StatusCode::kUnavailable, "cuda: cuBLASLt was not found (", kLibraries[0], " or ", kLibraries[1],
                 "); install the CUDA runtime libraries, or add their folder to LD_LIBRARY_PATH");
  }
  BlasApi api;
#define SCROOGE_CUDA_LOOK_UP(member, symbol, parameters)                                                  \
  api.member = reinterpret_cast<BlasResult(*) parameters>(dlsym(library, #symbol));                       \
  if (api.member == nullptr) {                                                                            \
    return error(StatusCode::kUnavailable, "cuda: cuBLASLt lacks " #symbol "; install CUDA 12 or later"); \
  }
  SCROOGE_CUDA_BLAS_FUNCTIONS(SCROOGE_CUDA_LOOK_UP)
#undef SCROOGE_CUDA_LOOK_UP
  return api;
}

}  // namespace

Result<const BlasApi*> load_blas() {
  static const Result<BlasApi> blas = open_blas();
  if (!blas.ok()) return blas.status();
  return &*blas;
}

}  // namespace scrooge::backend::cuda
