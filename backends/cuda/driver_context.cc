// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/driver_context.h"

#include "backends/cuda/cuda_status.h"

namespace scrooge::backend::cuda {

Status DriverContext::open() {
  return check(api_.primary_context_retain(&context_, device_), "cuDevicePrimaryCtxRetain");
}

// The last one to let go ends the context, so that a device made after a loss starts afresh.
DriverContext::~DriverContext() {
  if (context_ != nullptr) (void)api_.primary_context_release(device_);
}

Status DriverContext::check(CuResult result, std::string_view call) {
  Status status = cuda::check(api_, result, call);
  if (lost_.ok() && is_sticky(result)) lost_ = status;
  return status;
}

DriverContext::Current::Current(DriverContext& context)
    : context_(context), status_(context.check(context.api_.context_push(context.context_), "cuCtxPushCurrent")) {}

DriverContext::Current::~Current() {
  CuContext popped = nullptr;
  if (status_.ok()) (void)context_.api_.context_pop(&popped);
}

}  // namespace scrooge::backend::cuda
