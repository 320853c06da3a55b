// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernel_cache.h"

namespace scrooge::backend::cuda {

Result<CuModule> KernelCache::module_of(std::string_view op) {
  if (const auto known = modules_.find(op); known != modules_.end()) return known->second;
  for (const KernelImage& image : images_) {
    if (image.op != op) continue;
    CuModule module = nullptr;
    SCROOGE_RETURN_IF_ERROR(context_.check(context_.api().module_load(&module, image.data), "cuModuleLoadData"));
    modules_.emplace(image.op, module);
    return module;
  }
  return error(StatusCode::kInternal, "cuda: this build has no kernels for ", op, "; please report this");
}

Result<CuFunction> KernelCache::find(const Kernel& kernel, unsigned shared_bytes) {
  Function& function = functions_[kernel.name];
  if (function.handle == nullptr) {
    SCROOGE_ASSIGN_OR_RETURN(const CuModule module, module_of(kernel.op));
    SCROOGE_RETURN_IF_ERROR(
        context_.check(context_.api().module_function(&function.handle, module, kernel.name), "cuModuleGetFunction"));
  }
  if (shared_bytes > function.shared_bytes) {
    SCROOGE_RETURN_IF_ERROR(context_.check(
        context_.api().function_attribute(function.handle, kCuFunctionMaxDynamicShared, static_cast<int>(shared_bytes)),
        "cuFuncSetAttribute"));
    function.shared_bytes = shared_bytes;
  }
  return function.handle;
}

void KernelCache::close() {
  for (const auto& [op, module] : modules_) (void)context_.api().module_unload(module);
  modules_.clear();
  functions_.clear();
}

}  // namespace scrooge::backend::cuda
