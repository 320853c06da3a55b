// SPDX-License-Identifier: Apache-2.0
// Kernels by name, found in the images that were built into this library, one image per op.
#pragma once

#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "backends/cuda/driver_context.h"

namespace scrooge::backend::cuda {

// A fatbin: kernels/OP.cu for every architecture of the build.
struct KernelImage {
  std::string_view op;
  const void* data = nullptr;
};

// The images of this build; empty where it had no CUDA compiler.
std::span<const KernelImage> kernel_images();

// Which kernel of which op. `name` ends with a zero and lives as long as the program.
struct Kernel {
  std::string_view op;
  const char* name = nullptr;
};

class KernelCache {
 public:
  // `context` outlives it and is current in every call.
  KernelCache(DriverContext& context, std::span<const KernelImage> images) : context_(context), images_(images) {}
  KernelCache(const KernelCache&) = delete;
  KernelCache& operator=(const KernelCache&) = delete;

  // The function, allowed to use `shared_bytes` of dynamic shared memory. Loads the op's image at the first call.
  Result<CuFunction> find(const Kernel& kernel, unsigned shared_bytes);
  void close();

 private:
  struct Function {
    CuFunction handle = nullptr;
    unsigned shared_bytes = kDefaultDynamicShared;
  };

  Result<CuModule> module_of(std::string_view op);

  DriverContext& context_;
  const std::span<const KernelImage> images_;
  std::map<std::string_view, CuModule> modules_;
  std::map<std::string_view, Function> functions_;
};

}  // namespace scrooge::backend::cuda
