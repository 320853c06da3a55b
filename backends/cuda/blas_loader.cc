// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "backends/cuda/blas_api.h"

namespace scrooge::backend::cuda {
namespace {

// Where the loader looks by itself, then where the toolkit's installer puts it without telling the loader.
void* find_library(std::span<const char* const> names) {
  std::vector<std::string> folders{""};
  const char* const toolkit = std::getenv("CUDA_PATH");
  for (const std::string& root : {std::string(toolkit != nullptr ? toolkit : ""), std::string("/usr/local/cuda")}) {
    if (!root.empty()) folders.insert(folders.end(), {root + "/lib64/", root + "/lib/"});
  }
  for (const std::string& folder : folders) {
    for (const char* name : names) {
      if (void* const library = dlopen((folder + name).c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    }
  }
  return nullptr;
}

// Never closed, as the driver is not.
Result<BlasApi> open_blas() {
  constexpr const char* kLibraries[] = {"libcublasLt.so.13", "libcublasLt.so.12"};
  void* const library = find_library(kLibraries);
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
