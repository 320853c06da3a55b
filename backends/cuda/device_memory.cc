// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "backends/cuda/device_info.h"
#include "backends/cuda/work.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

const CudaBuffer& of(const Buffer& buffer) { return static_cast<const CudaBuffer&>(buffer); }

}  // namespace

CudaDevice::CudaDevice(const DeviceSetup& setup, CuDevice device, const DeviceOptions& options)
    : backend_(setup.backend),
      cancel_(options.cancel),
      context_(*setup.driver, device),
      compute_(context_),
      copy_(context_),
      arena_(context_, *options.budget, setup.arena, [this] { return quiesce(); }),
      staging_(context_, options.host_budget != nullptr ? *options.host_budget : *options.budget),
      results_(context_, compute_, options.host_budget != nullptr ? *options.host_budget : *options.budget),
      kernels_(context_, setup.images),
      blas_(context_, setup.load_blas),
      workspace_bytes_(setup.blas_workspace),
      pieces_(setup.pieces) {}

Result<std::unique_ptr<CudaDevice>> CudaDevice::open(const DeviceSetup& setup, int index,
                                                     const DeviceOptions& options) {
  SCROOGE_ASSIGN_OR_RETURN(const CuDevice device, find_card(*setup.driver, index));
  std::unique_ptr<CudaDevice> made(new CudaDevice(setup, device, options));
  SCROOGE_RETURN_IF_ERROR(made->context_.open());
  const DriverContext::Current current(made->context_);
  SCROOGE_RETURN_IF_ERROR(current.status());
  SCROOGE_RETURN_IF_ERROR(made->compute_.open());
  SCROOGE_RETURN_IF_ERROR(made->copy_.open());
  const auto attribute = [&](int which, unsigned& value) {
    int found = 0;
    SCROOGE_RETURN_IF_ERROR(
        made->context_.check(setup.driver->device_attribute(&found, which, device), "cuDeviceGetAttribute"));
    value = static_cast<unsigned>(std::max(1, found));
    return Status();
  };
  SCROOGE_RETURN_IF_ERROR(attribute(kCuAttributeMultiprocessorCount, made->multiprocessors_));
  SCROOGE_RETURN_IF_ERROR(attribute(kCuAttributeSharedMemoryOptin, made->shared_limit_));
  unsigned major = 0;
  SCROOGE_RETURN_IF_ERROR(attribute(kCuAttributeCapabilityMajor, major));
  made->bf16_products_ = major >= 8;
  return made;
}

CudaDevice::~CudaDevice() {
  if (!context_.opened()) return;
  // In a lost context the calls fail, and what they would free ends with it; budgets are given back all the same.
  const DriverContext::Current current(context_);
  (void)quiesce();
  blas_.close();
  kernels_.close();
  results_.close();
  staging_.close();
  if (scratch_.chunk != nullptr) arena_.release(scratch_);
  if (workspace_.chunk != nullptr) arena_.release(workspace_);
  arena_.close();
  copy_.close();
  compute_.close();
}

DeviceInfo CudaDevice::describe() const { return describe_card(context_.api(), context_.device(), backend_); }

// Not cancelled: what comes next gives memory back that the work uses.
Status CudaDevice::quiesce() {
  const Status copied = copy_.finish_all(nullptr);
  const Status computed = compute_.finish_all(nullptr);
  return copied.ok() ? computed : copied;
}

void CudaDevice::release(const Arena::Block& block) { arena_.release(block); }

// An op waits for the uploads of its own buffers only.
Status CudaDevice::begin(std::string_view op, std::initializer_list<const Buffer*> buffers) {
  SCROOGE_RETURN_IF_ERROR(context_.lost().with_context(op));
  SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel_));
  uint64_t uploaded = 0;
  for (const Buffer* buffer : buffers) {
    if (buffer == nullptr) continue;
    uploaded = std::max(uploaded, of(*buffer).uploaded_);
  }
  return compute_.wait_for(copy_, uploaded).with_context(op);
}

// Also after an error: some of the op's work may be under way. The body may have marked in between.
Status CudaDevice::end(std::initializer_list<const Buffer*> buffers) {
  for (const Buffer* buffer : buffers) {
    if (buffer != nullptr) of(*buffer).block_.last_use = compute_.next_ticket();
  }
  return compute_.mark();
}

Result<std::unique_ptr<Buffer>> CudaDevice::allocate(uint64_t bytes, std::string_view purpose) {
  const DriverContext::Current current(context_);
  SCROOGE_RETURN_IF_ERROR(current.status());
  SCROOGE_RETURN_IF_ERROR(context_.lost().with_context(purpose));
  SCROOGE_ASSIGN_OR_RETURN(const Arena::Block block, arena_.allocate(bytes, purpose));
  auto buffer = std::make_unique<CudaBuffer>(*this, block, bytes);
  SCROOGE_RETURN_IF_ERROR(copy_.wait_for(compute_, block.last_use).with_context(purpose));
  buffer->uploaded_ = copy_.next_ticket();
  SCROOGE_RETURN_IF_ERROR(
      context_.check(context_.api().fill_bytes(block.address, 0, block.bytes, copy_.stream()), "cuMemsetD8Async")
          .with_context(purpose));
  SCROOGE_RETURN_IF_ERROR(copy_.mark().with_context(purpose));
  return std::unique_ptr<Buffer>(std::move(buffer));
}

Status CudaDevice::upload(Buffer& to, uint64_t offset, std::span<const std::byte> from) {
  SCROOGE_RETURN_IF_ERROR(check_range("upload", to, offset, from.size()));
  if (from.empty()) return {};
  const DriverContext::Current current(context_);
  SCROOGE_RETURN_IF_ERROR(current.status());
  SCROOGE_RETURN_IF_ERROR(context_.lost().with_context("upload"));
  const CudaBuffer& buffer = of(to);
  SCROOGE_RETURN_IF_ERROR(copy_.wait_for(compute_, buffer.block_.last_use).with_context("upload"));
  const Status sent = staging_.upload(copy_, buffer.address() + offset, from, cancel_);
  buffer.uploaded_ = copy_.next_ticket() - 1;
  return sent.with_context("upload");
}

Status CudaDevice::download(const Buffer& from, uint64_t offset, std::span<std::byte> to) {
  SCROOGE_RETURN_IF_ERROR(check_range("download", from, offset, to.size()));
  if (to.empty()) return {};
  const DriverContext::Current current(context_);
  SCROOGE_RETURN_IF_ERROR(current.status());
  SCROOGE_RETURN_IF_ERROR(context_.lost().with_context("download"));
  const CudaBuffer& buffer = of(from);
  SCROOGE_RETURN_IF_ERROR(copy_.wait_for(compute_, buffer.block_.last_use).with_context("download"));
  return staging_.download(copy_, buffer.address() + offset, to, cancel_).with_context("download");
}

Status CudaDevice::copy(const Buffer& from, uint64_t from_offset, Buffer& to, uint64_t to_offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("copy", from, from_offset, bytes));
  SCROOGE_RETURN_IF_ERROR(check_range("copy", to, to_offset, bytes));
  if (bytes == 0) return {};
  return run("copy", {&from, &to}, [&](Work& work) {
    return work.check(context_.api().copy_on_device(of(to).address() + to_offset, of(from).address() + from_offset,
                                                    bytes, work.stream()),
                      "cuMemcpyDtoDAsync");
  });
}

Status CudaDevice::fill_zero(Buffer& buffer, uint64_t offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("fill_zero", buffer, offset, bytes));
  return run("fill_zero", {&buffer}, [&](Work& work) { return work.fill_zero(of(buffer).address() + offset, bytes); });
}

Status CudaDevice::synchronize() {
  const DriverContext::Current current(context_);
  SCROOGE_RETURN_IF_ERROR(current.status());
  SCROOGE_RETURN_IF_ERROR(context_.lost().with_context("synchronize"));
  SCROOGE_RETURN_IF_ERROR(copy_.finish_all(cancel_).with_context("synchronize"));
  return results_.deliver(cancel_).with_context("synchronize");
}

}  // namespace scrooge::backend::cuda
