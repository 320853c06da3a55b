// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/host_results.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace scrooge::backend::cuda {

Status HostResults::fetch(CuAddress from, std::span<std::byte> to, CancelToken* cancel) {
  if (to.empty()) return {};
  if (used_ + to.size() > size_) {
    SCROOGE_RETURN_IF_ERROR(deliver(cancel));
    if (to.size() > size_) {
      constexpr size_t kLeast = 64 << 10;
      close();
      void* pinned = nullptr;
      const size_t size = std::max(kLeast, to.size());
      SCROOGE_RETURN_IF_ERROR(budget_.reserve(size, "pinned results"));
      const Status status =
          context_.check(context_.api().host_alloc(&pinned, size, kCuHostAllocPortable), "cuMemHostAlloc");
      if (!status.ok()) {
        budget_.give_back(size);
        return status.with_context("pinned results");
      }
      pinned_ = static_cast<std::byte*>(pinned);
      size_ = size;
    }
  }
  SCROOGE_RETURN_IF_ERROR(context_.check(context_.api().copy_to_host(pinned_ + used_, from, to.size(), queue_.stream()),
                                         "cuMemcpyDtoHAsync"));
  owed_.push_back({used_, to});
  used_ += (to.size() + 15) / 16 * 16;
  return {};
}

Status HostResults::deliver(CancelToken* cancel) {
  const std::vector<Owed> owed = std::exchange(owed_, {});
  SCROOGE_RETURN_IF_ERROR(queue_.finish_all(cancel));
  for (const Owed& one : owed) std::memcpy(one.to.data(), pinned_ + one.offset, one.to.size());
  used_ = 0;
  return {};
}

void HostResults::close() {
  if (pinned_ != nullptr) {
    (void)context_.api().host_free(pinned_);
    budget_.give_back(size_);
  }
  pinned_ = nullptr;
  size_ = used_ = 0;
  owed_.clear();
}

}  // namespace scrooge::backend::cuda
