// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "backends/reference/reference_backend.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"
#include "src/base/checked_size.h"

namespace scrooge::backend::reference {
namespace {

constexpr uint64_t kAlignment = 256;
constexpr uint64_t kBlockAlignment = 64;  // what a HostBlock promises

std::byte* align_up(std::byte* address) {
  const auto rest = reinterpret_cast<uintptr_t>(address) % kAlignment;
  return rest == 0 ? address : address + (kAlignment - rest);
}

class HostBuffer final : public Buffer {
 public:
  HostBuffer(HostBlock block, uint64_t size) : Buffer(size, align_up(block.data())), block_(std::move(block)) {}

 private:
  HostBlock block_;
};

DeviceInfo reference_info() {
  DeviceInfo info;
  info.backend = "reference";
  info.name = "reference (one thread, double precision)";
  info.host_memory = true;
  return info;
}

}  // namespace

DeviceInfo ReferenceDevice::describe() const { return reference_info(); }

Result<std::unique_ptr<Buffer>> ReferenceDevice::allocate(uint64_t bytes, std::string_view purpose) {
  const CheckedSize padded = CheckedSize(bytes) + (kAlignment - kBlockAlignment);
  SCROOGE_ASSIGN_OR_RETURN(HostBlock block, budget_->allocate(padded.value_or(MemoryBudget::kUnlimited), purpose));
  return std::unique_ptr<Buffer>(std::make_unique<HostBuffer>(std::move(block), bytes));
}

Status ReferenceDevice::upload(Buffer& to, uint64_t offset, std::span<const std::byte> from) {
  SCROOGE_RETURN_IF_ERROR(check_range("upload", to, offset, from.size()));
  if (!from.empty()) std::memcpy(to.host_data() + offset, from.data(), from.size());
  return {};
}

Status ReferenceDevice::download(const Buffer& from, uint64_t offset, std::span<std::byte> to) {
  SCROOGE_RETURN_IF_ERROR(check_range("download", from, offset, to.size()));
  if (!to.empty()) std::memcpy(to.data(), from.host_data() + offset, to.size());
  return {};
}

Status ReferenceDevice::copy(const Buffer& from, uint64_t from_offset, Buffer& to, uint64_t to_offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("copy", from, from_offset, bytes));
  SCROOGE_RETURN_IF_ERROR(check_range("copy", to, to_offset, bytes));
  if (bytes != 0) std::memcpy(to.host_data() + to_offset, from.host_data() + from_offset, bytes);
  return {};
}

Status ReferenceDevice::fill_zero(Buffer& buffer, uint64_t offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("fill_zero", buffer, offset, bytes));
  if (bytes != 0) std::memset(buffer.host_data() + offset, 0, bytes);
  return {};
}

Status ReferenceDevice::synchronize() { return {}; }

Result<std::vector<DeviceInfo>> list_devices() { return std::vector<DeviceInfo>{reference_info()}; }

Result<std::unique_ptr<Device>> create_device(int index, const DeviceOptions& options) {
  if (index != 0) {
    return error(StatusCode::kInvalidArgument, "device: reference:", index,
                 " does not exist; there is one, reference:0");
  }
  return std::unique_ptr<Device>(std::make_unique<ReferenceDevice>(options.budget));
}

}  // namespace scrooge::backend::reference
