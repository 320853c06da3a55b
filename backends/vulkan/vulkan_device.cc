// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/vulkan_device.h"

#include <algorithm>
#include <cstring>
#include <deque>

#include "src/backend/validate.h"

namespace scrooge::backend::vulkan {
namespace {

constexpr uint64_t kMappedPiece = uint64_t{32} << 20;  // of a transfer by the host, between questions whether to stop
constexpr uint64_t kStagingPiece = uint64_t{4} << 20;
constexpr uint64_t kLeastStaging = uint64_t{64} << 10;
constexpr size_t kDownloads = 3;  // pieces of one on their way

Memory& memory_of(const Buffer& buffer) { return static_cast<const VulkanBuffer&>(buffer).memory(); }

}  // namespace

DeviceInfo VulkanDevice::describe() const { return device_info(physical()); }

Result<std::unique_ptr<Buffer>> VulkanDevice::allocate(uint64_t bytes, std::string_view purpose) {
  SCROOGE_ASSIGN_OR_RETURN(auto memory, Memory::allocate(*context_, budget_, Place::kDevice, bytes, purpose));
  if (memory->mapped() != nullptr) {
    std::memset(memory->mapped(), 0, memory->size());
  } else {
    SCROOGE_RETURN_IF_ERROR(commands_.fill_zero(*memory, 0, memory->size()));
  }
  return std::unique_ptr<Buffer>(std::make_unique<VulkanBuffer>(std::move(memory), commands_, bytes));
}

template <typename Settle>
Result<HostRange> VulkanDevice::staging(uint64_t bytes, const Settle& settle) {
  uint64_t size = std::min(bytes, kStagingPiece);
  for (;;) {
    auto range = commands_.host_range(size);
    if (range.ok() || range.status().code() != StatusCode::kBudgetExceeded || size <= kLeastStaging) return range;
    SCROOGE_RETURN_IF_ERROR(settle());  // so that those in use can be used again
    if (auto again = commands_.host_range(size); again.ok()) return again;
    size = std::max(size / 2, kLeastStaging);
  }
}

Status VulkanDevice::upload(Buffer& to, uint64_t offset, std::span<const std::byte> from) {
  SCROOGE_RETURN_IF_ERROR(check_range("upload", to, offset, from.size()));
  Memory& memory = memory_of(to);
  if (memory.mapped() != nullptr) {
    SCROOGE_RETURN_IF_ERROR(commands_.wait_for(memory));
    for (size_t begin = 0; begin < from.size(); begin += kMappedPiece) {
      SCROOGE_RETURN_IF_ERROR(commands_.check_cancelled());
      const auto part = from.subspan(begin, std::min<size_t>(kMappedPiece, from.size() - begin));
      std::memcpy(memory.mapped() + offset + begin, part.data(), part.size());
    }
    return {};
  }
  while (!from.empty()) {
    SCROOGE_ASSIGN_OR_RETURN(const HostRange range, staging(from.size(), [this] { return commands_.finish(); }));
    const size_t length = std::min<size_t>(range.bytes, from.size());
    std::memcpy(range.data(), from.data(), length);
    SCROOGE_RETURN_IF_ERROR(commands_.copy(*range.memory, range.offset, memory, offset, length));
    staged_ += length;
    if (staged_ >= kStagingPiece) {  // they move while the next are filled
      staged_ = 0;
      SCROOGE_RETURN_IF_ERROR(commands_.submit());
    }
    offset += length;
    from = from.subspan(length);
  }
  return {};
}

Status VulkanDevice::download(const Buffer& from, uint64_t offset, std::span<std::byte> to) {
  SCROOGE_RETURN_IF_ERROR(check_range("download", from, offset, to.size()));
  Memory& memory = memory_of(from);
  if (memory.mapped() != nullptr) {
    SCROOGE_RETURN_IF_ERROR(commands_.wait_for(memory));
    for (size_t begin = 0; begin < to.size(); begin += kMappedPiece) {
      SCROOGE_RETURN_IF_ERROR(commands_.check_cancelled());
      const auto part = to.subspan(begin, std::min<size_t>(kMappedPiece, to.size() - begin));
      std::memcpy(part.data(), memory.mapped() + offset + begin, part.size());
    }
    return {};
  }
  struct Arrival {
    HostRange range;
    std::span<std::byte> to;
  };
  std::deque<Arrival> arrivals;  // the host copies one while others are on their way
  const auto take_until = [&](size_t left) -> Status {
    for (; arrivals.size() > left; arrivals.pop_front()) {
      const auto& [range, target] = arrivals.front();
      SCROOGE_RETURN_IF_ERROR(commands_.wait_for(*range.memory));
      std::memcpy(target.data(), range.data(), target.size());
    }
    return {};
  };
  const auto settle = [&]() -> Status {
    SCROOGE_RETURN_IF_ERROR(commands_.finish());
    return take_until(0);
  };
  while (!to.empty()) {
    SCROOGE_RETURN_IF_ERROR(take_until(kDownloads - 1));
    SCROOGE_ASSIGN_OR_RETURN(HostRange range, staging(to.size(), settle));
    const size_t length = std::min<size_t>(range.bytes, to.size());
    SCROOGE_RETURN_IF_ERROR(commands_.copy(memory, offset, *range.memory, range.offset, length));
    SCROOGE_RETURN_IF_ERROR(commands_.submit());
    arrivals.push_back({std::move(range), to.first(length)});
    offset += length;
    to = to.subspan(length);
  }
  return settle();
}

Status VulkanDevice::copy(const Buffer& from, uint64_t from_offset, Buffer& to, uint64_t to_offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("copy", from, from_offset, bytes));
  SCROOGE_RETURN_IF_ERROR(check_range("copy", to, to_offset, bytes));
  return commands_.copy(memory_of(from), from_offset, memory_of(to), to_offset, bytes);
}

Status VulkanDevice::fill_zero(Buffer& buffer, uint64_t offset, uint64_t bytes) {
  SCROOGE_RETURN_IF_ERROR(check_range("fill_zero", buffer, offset, bytes));
  return commands_.fill_zero(memory_of(buffer), offset, bytes);
}

Status VulkanDevice::synchronize() { return commands_.finish(); }

Result<Memory*> VulkanDevice::scratch(uint64_t bytes) {
  if (scratch_ == nullptr || scratch_->size() < bytes) {
    if (scratch_ != nullptr) SCROOGE_RETURN_IF_ERROR(commands_.wait_for(*scratch_));
    scratch_.reset();
    SCROOGE_ASSIGN_OR_RETURN(scratch_, Memory::allocate(*context_, budget_, Place::kDevice, bytes, "scratch"));
  }
  return scratch_.get();
}

}  // namespace scrooge::backend::vulkan
