// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/work.h"

#include <limits>

namespace scrooge::backend::cuda {

Status Work::launch_bytes(const Kernel& kernel, const LaunchShape& shape, const void* arguments) {
  if (shape.x == 0 || shape.y == 0 || shape.z == 0) return {};
  constexpr int64_t kMostYz = 65535;
  if (shape.x > std::numeric_limits<int32_t>::max() || shape.y > kMostYz || shape.z > kMostYz) {
    return error(StatusCode::kInternal, "a grid of ", shape.x, " by ", shape.y, " by ", shape.z, " blocks");
  }
  if (shape.shared_bytes > shared_limit()) {
    return error(StatusCode::kUnsupported, "needs ", shape.shared_bytes, " bytes of shared memory, the card has ",
                 shared_limit());
  }
  const auto shared = static_cast<unsigned>(shape.shared_bytes);
  SCROOGE_ASSIGN_OR_RETURN(const CuFunction function, device_.kernels_.find(kernel, shared));
  void* parameters[] = {const_cast<void*>(arguments)};
  return check(device_.context_.api().launch(function, static_cast<unsigned>(shape.x), static_cast<unsigned>(shape.y),
                                             static_cast<unsigned>(shape.z), shape.threads, 1, 1, shared, stream(),
                                             parameters, nullptr),
               "cuLaunchKernel")
      .with_context(kernel.name);
}

Result<CuAddress> Work::scratch(uint64_t bytes) {
  Arena::Block& block = device_.scratch_;
  if (block.bytes < bytes) {
    if (block.chunk != nullptr) {
      block.last_use = device_.compute_.next_ticket();
      device_.arena_.release(block);
      block = {};
    }
    SCROOGE_ASSIGN_OR_RETURN(block, device_.arena_.allocate(bytes, "device scratch"));
    // What a copy still writes there, the zeros of a buffer that was never used, comes first.
    SCROOGE_RETURN_IF_ERROR(device_.compute_.wait_for(device_.copy_, device_.copy_.next_ticket()));
  }
  return block.address;
}

Status Work::multiply(const Product& product) {
  Arena::Block& workspace = device_.workspace_;
  if (workspace.chunk == nullptr) {
    SCROOGE_ASSIGN_OR_RETURN(workspace, device_.arena_.allocate(device_.workspace_bytes_, "workspace of products"));
    SCROOGE_RETURN_IF_ERROR(device_.compute_.wait_for(device_.copy_, device_.copy_.next_ticket()));
  }
  return device_.blas_.multiply(product, workspace.address, workspace.bytes, stream());
}

Status Work::upload_bytes(CuAddress to, std::span<const std::byte> table) {
  return device_.staging_.upload(device_.compute_, to, table, device_.cancel_);
}

Status Work::fill_zero(CuAddress at, uint64_t bytes) {
  if (bytes == 0) return {};
  return check(device_.context_.api().fill_bytes(at, 0, bytes, stream()), "cuMemsetD8Async");
}

}  // namespace scrooge::backend::cuda
