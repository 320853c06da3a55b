// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "backends/cpu/cpu_device.h"
#include "src/base/checked_size.h"

namespace scrooge::backend::cpu {
namespace {

constexpr uint64_t kAlignment = 256;
constexpr uint64_t kBlockAlignment = 64;  // what a HostBlock promises

std::byte* aligned(std::byte* address) {
  const auto rest = reinterpret_cast<uintptr_t>(address) % kAlignment;
  return rest == 0 ? address : address + (kAlignment - rest);
}

class HostBuffer final : public Buffer {
 public:
  HostBuffer(HostBlock block, uint64_t size) : Buffer(size, aligned(block.data())), block_(std::move(block)) {}

 private:
  HostBlock block_;
};

Status check_range(std::string_view call, const Buffer& buffer, uint64_t offset, uint64_t bytes) {
  if (CheckedSize(offset).range_fits(bytes, buffer.size())) return {};
  return error(StatusCode::kInvalidArgument, call, ": ", bytes, " bytes at offset ", offset, " do not fit a buffer of ",
               buffer.size(), " bytes");
}

}  // namespace

CpuDevice::CpuDevice(const DeviceOptions& options, const Processor& processor, std::unique_ptr<MatrixProduct> product,
                     std::string_view name)
    : name_(name),
      budget_(*options.budget),
      processor_(processor),
      pool_(options.threads),
      scratch_(budget_, pool_.threads()),
      product_(std::move(product)) {}

DeviceInfo CpuDevice::describe() const { return device_info(name_, processor_, product_->name()); }

Result<std::unique_ptr<Buffer>> CpuDevice::allocate(uint64_t bytes, std::string_view purpose) {
  // Anonymous maps come page-aligned; only an allocator of the host program can make the slack necessary.
  const CheckedSize padded = CheckedSize(bytes) + (kAlignment - kBlockAlignment);
  SCROOGE_ASSIGN_OR_RETURN(HostBlock block, budget_.allocate(padded.value_or(MemoryBudget::kUnlimited), purpose));
  return std::unique_ptr<Buffer>(std::make_unique<HostBuffer>(std::move(block), bytes));
}

Status CpuDevice::upload(Buffer& to, uint64_t offset, std::span<const std::byte> from) {
  SCROOGE_RETURN_IF_ERROR(check_range("upload", to, offset, from.size()));
  if (!from.empty()) std::memcpy(to.host_data() + offset, from.data(), from.size());
  return {};
}

Status CpuDevice::download(const Buffer& from, uint64_t offset, std::span<std::byte> to) {
  SCROOGE_RETURN_IF_ERROR(check_range("download", from, offset, to.size()));
  if (!to.empty()) std::memcpy(to.data(), from.host_data() + offset, to.size());
  return {};
}

Status CpuDevice::copy(const Buffer& from, uint64_t from_offset, Buffer& to, uint64_t to_offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("copy", from, from_offset, bytes));
  SCROOGE_RETURN_IF_ERROR(check_range("copy", to, to_offset, bytes));
  if (bytes != 0) std::memcpy(to.host_data() + to_offset, from.host_data() + from_offset, bytes);
  return {};
}

Status CpuDevice::fill_zero(Buffer& buffer, uint64_t offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("fill_zero", buffer, offset, bytes));
  if (bytes != 0) std::memset(buffer.host_data() + offset, 0, bytes);
  return {};
}

}  // namespace scrooge::backend::cpu
