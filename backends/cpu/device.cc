// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "backends/cpu/cpu_device.h"
#include "src/backend/validate.h"
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

// A transfer of gigabytes takes seconds: part(begin, length) for one piece after another.
template <typename Part>
Status in_pieces(const ThreadPool& pool, uint64_t bytes, const Part& part) {
  constexpr uint64_t kPiece = uint64_t{32} << 20;
  for (uint64_t begin = 0; begin < bytes; begin += kPiece) {
    SCROOGE_RETURN_IF_ERROR(pool.check_cancelled(0));
    part(begin, std::min(kPiece, bytes - begin));
  }
  return {};
}

}  // namespace

CpuDevice::CpuDevice(const DeviceOptions& options, const Processor& processor, std::unique_ptr<MatrixProduct> product,
                     std::string_view name)
    : name_(name),
      budget_(*options.budget),
      processor_(processor),
      pool_(options.threads, options.cancel),
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
  std::byte* const at = to.host_data() + offset;
  return in_pieces(pool_, from.size(),
                   [&](uint64_t begin, uint64_t length) { std::memcpy(at + begin, from.data() + begin, length); });
}

Status CpuDevice::download(const Buffer& from, uint64_t offset, std::span<std::byte> to) {
  SCROOGE_RETURN_IF_ERROR(check_range("download", from, offset, to.size()));
  const std::byte* const at = from.host_data() + offset;
  return in_pieces(pool_, to.size(),
                   [&](uint64_t begin, uint64_t length) { std::memcpy(to.data() + begin, at + begin, length); });
}

Status CpuDevice::copy(const Buffer& from, uint64_t from_offset, Buffer& to, uint64_t to_offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("copy", from, from_offset, bytes));
  SCROOGE_RETURN_IF_ERROR(check_range("copy", to, to_offset, bytes));
  const std::byte* const source = from.host_data() + from_offset;
  std::byte* const at = to.host_data() + to_offset;
  return in_pieces(pool_, bytes,
                   [&](uint64_t begin, uint64_t length) { std::memcpy(at + begin, source + begin, length); });
}

Status CpuDevice::fill_zero(Buffer& buffer, uint64_t offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("fill_zero", buffer, offset, bytes));
  std::byte* const at = buffer.host_data() + offset;
  return in_pieces(pool_, bytes, [&](uint64_t begin, uint64_t length) { std::memset(at + begin, 0, length); });
}

}  // namespace scrooge::backend::cpu
